import { concat, concatMap, defer, EMPTY, from, map, type Observable, throwError, toArray } from 'rxjs';
import { SourceError } from '../../core/errors.js';
import type { FileInput, FoundFile } from '../../ports/file-input.js';
import { type Catalogue, identityOf } from './catalogue.js';
import { changedError } from './file-errors.js';

/** Deeper folders are not read: a link may lead back up. */
const MAX_DEPTH = 32;

/** The files that paths and patterns name, as they are when they are looked for. Nothing is done to them. */
export class FileList implements Catalogue {
  readonly againAfterMs = undefined;
  readonly #input: FileInput;
  readonly #names: readonly string[];

  constructor(input: FileInput, names: readonly string[]) {
    this.#input = input;
    this.#names = names;
  }

  /** Each once, though two patterns name it. */
  find(): Observable<readonly FoundFile[]> {
    return from(this.#names).pipe(
      concatMap((name) => this.#named(name).pipe(toArray())),
      concatMap((found) => found.sort((one, other) => (one.path < other.path ? -1 : 1))),
      toArray(),
      map((found) => [...new Map(found.map((file) => [file.path, file])).values()]),
    );
  }

  finish(file: FoundFile): Observable<unknown> {
    return defer(() => from(this.#input.look(file.path))).pipe(
      concatMap((now) =>
        now === null || identityOf(now) === identityOf(file)
          ? EMPTY
          : throwError(() => changedError(file, 'it has other bytes, or another time')),
      ),
    );
  }

  #named(name: string): Observable<FoundFile> {
    if (!/[*?]/.test(name)) {
      return defer(() => from(this.#input.look(name))).pipe(
        concatMap((file) => (file?.kind === 'file' ? [file] : throwError(() => missingError(name)))),
      );
    }
    const folder = name.slice(0, name.slice(0, name.search(/[*?]/)).lastIndexOf('/')) || '/';
    const depth = name.includes('**') ? MAX_DEPTH : name.split('/').length - folder.split('/').length;
    return this.#below(folder, patternOf(name), depth);
  }

  #below(folder: string, pattern: RegExp, depth: number): Observable<FoundFile> {
    return defer(() => from(this.#input.scan(folder))).pipe(
      concatMap((found) => {
        const files = found.filter(({ kind, path }) => kind === 'file' && pattern.test(path));
        const folders = depth > 0 ? found.filter(({ kind }) => kind === 'folder') : [];
        return concat(from(files), from(folders).pipe(concatMap(({ path }) => this.#below(path, pattern, depth - 1))));
      }),
    );
  }
}

/** A pattern of paths as a regular expression. */
function patternOf(name: string): RegExp {
  const parts = name.split(/(\*\*\/|\*\*|\*|\?)/).map((part) => {
    if (part === '**/') return '(?:[^/]+/)*';
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    return part === '?' ? '[^/]' : part.replaceAll(/[\\^$.|+()[\]{}]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`);
}

function missingError(path: string): SourceError {
  const message = `There is no file ${path}. Correct \`files\`, or name it by a pattern, which may match none.`;
  return new SourceError('RXF_SOURCE_FILE', message, { details: { path } });
}
