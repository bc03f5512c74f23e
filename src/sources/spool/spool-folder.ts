import { concat, concatMap, defer, EMPTY, from, map, type Observable, of, throwError, toArray } from 'rxjs';
import { monotonicMs } from '../../core/clock.js';
import { SourceError } from '../../core/errors.js';
import type { FileInput, FoundFile } from '../../ports/file-input.js';
import { type Catalogue, identityOf } from '../file/catalogue.js';
import { changedError } from '../file/file-errors.js';
import type { CheckedSpool } from './options.js';

/** Deeper subfolders are not read: a link may lead back up. */
const MAX_DEPTH = 32;

/** The files of a spool folder that are whole, and what becomes of those that are durable. */
export class SpoolFolder implements Catalogue {
  readonly againAfterMs: number;
  readonly #input: FileInput;
  readonly #options: CheckedSpool<unknown>;
  /** By what a file is called while it does not change: when it was first seen like that. */
  #seen = new Map<string, number>();

  constructor(input: FileInput, options: CheckedSpool<unknown>) {
    this.#input = input;
    this.#options = options;
    this.againAfterMs = options.pollIntervalMs;
  }

  find(): Observable<readonly FoundFile[]> {
    return this.#filesIn(this.#options.folder, 0).pipe(
      toArray(),
      map((found) => this.#unchanged(found).sort(ORDERS[this.#options.order])),
    );
  }

  /** Where it was removed or renamed meanwhile there is nothing to do: that may have been us, before a crash. */
  finish(file: FoundFile): Observable<unknown> {
    return defer(() => from(this.#input.look(file.path))).pipe(
      concatMap((now) => {
        if (now === null) return EMPTY;
        if (identityOf(now) !== identityOf(file))
          return throwError(() => changedError(file, 'it has other bytes, or another time'));
        const { whenDone } = this.#options;
        if (whenDone === 'delete') return from(this.#input.remove(file.path));
        return this.#rename(file.path, [this.#target(file, ''), this.#target(file, `.${identityOf(file)}`)]);
      }),
    );
  }

  #filesIn(folder: string, depth: number): Observable<FoundFile> {
    return defer(() => from(this.#input.scan(folder))).pipe(
      concatMap((found) => {
        const files = found.filter((one) => one.kind === 'file' && this.#isWanted(nameOf(one.path)));
        const isDeep = this.#options.isRecursive && depth < MAX_DEPTH;
        const folders = isDeep ? found.filter((one) => one.kind === 'folder' && !nameOf(one.path).startsWith('.')) : [];
        return concat(from(files), from(folders).pipe(concatMap(({ path }) => this.#filesIn(path, depth + 1))));
      }),
    );
  }

  #isWanted(name: string): boolean {
    const { include, suffix, whenDone } = this.#options;
    if (name.startsWith('.') || name.endsWith('.tmp')) return false;
    if (whenDone === 'rename' && name.endsWith(suffix)) return false;
    if (include === undefined) return true;
    include.lastIndex = 0;
    return include.test(name);
  }

  #unchanged(found: readonly FoundFile[]): FoundFile[] {
    const now = monotonicMs();
    const before = this.#seen;
    this.#seen = new Map(found.map((file) => [keyOf(file), before.get(keyOf(file)) ?? now]));
    return found.filter((file) => now - (this.#seen.get(keyOf(file)) as number) >= this.#options.unchangedForMs);
  }

  /** The name that it gets; `extra` where another file has that name already. */
  #target({ path }: FoundFile, extra: string): string {
    const { whenDone, suffix, folder, doneFolder = '' } = this.#options;
    if (whenDone === 'rename') return `${path}${extra}${suffix}`;
    return `${doneFolder.replace(/\/+$/, '')}/${path.slice(folder.replace(/\/+$/, '').length + 1)}${extra}`;
  }

  #rename(path: string, [target, ...others]: readonly string[]): Observable<unknown> {
    if (target === undefined) return throwError(() => takenError(path));
    return from(this.#input.rename(path, target)).pipe(
      concatMap((answer) => (answer === 'exists' ? this.#rename(path, others) : of(answer))),
    );
  }
}

const ORDERS = {
  name: (one: FoundFile, other: FoundFile) => (one.path < other.path ? -1 : 1),
  oldest: (one: FoundFile, other: FoundFile) => one.modifiedMs - other.modifiedMs || ORDERS.name(one, other),
  newest: (one: FoundFile, other: FoundFile) => other.modifiedMs - one.modifiedMs || ORDERS.name(one, other),
};

function keyOf(file: FoundFile): string {
  return `${identityOf(file)} ${file.path}`;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function takenError(path: string): SourceError {
  const message = `All of ${path} is stored, but both names that it could get are taken. Move it away.`;
  return new SourceError('RXF_SOURCE_FILE', message, { details: { path } });
}
