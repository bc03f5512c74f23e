import { catchError, concatMap, defer, EMPTY, from, map, mergeMap, type Observable, of, reduce } from 'rxjs';
import type { LocalFileStats, LocalFiles, LocalName } from '../../ports/local-files.js';
import { ANY_FOLDERS, matcherOf, stepsOf } from './glob.js';

/** How many calls of the system are under way at once. */
const CONCURRENCY = 8;
/** How deep `**` goes: a folder that links to one above it ends somewhere. */
const MAX_DEPTH = 32;

/** A file that a path leads to. */
export interface FoundFile {
  readonly path: string;
  readonly stats: LocalFileStats;
}

export interface Walk {
  /** By path; a file that several names lead to is there once, under the first of them. */
  readonly found: readonly FoundFile[];
  /** What could not be looked at, with the error of the system. */
  readonly unreadable: readonly { readonly path: string; readonly error: unknown }[];
  /** How many more there are than may be followed. */
  readonly beyond: number;
}

/**
 * Finds the files that the patterns match now. Links to files are followed; links to folders only where the pattern names them.
 *
 * Bounds: 8 calls at once, 32 folders deep; it keeps the paths of at most `maxFiles` files.
 */
export class Walker {
  readonly #files: LocalFiles;
  readonly #patterns: readonly (readonly (string | RegExp)[])[];
  readonly #isExcluded: (path: string) => boolean;
  readonly #maxFiles: number;

  constructor(files: LocalFiles, paths: readonly string[], exclude: readonly string[], maxFiles: number) {
    this.#files = files;
    this.#patterns = paths.map(stepsOf);
    this.#isExcluded = matcherOf(exclude);
    this.#maxFiles = maxFiles;
  }

  walk(): Observable<Walk> {
    return defer(() => {
      const unreadable: { path: string; error: unknown }[] = [];
      const report = (path: string, error: unknown) => {
        if (!isAbsent(error)) unreadable.push({ path, error });
      };
      const paths$ = from(this.#patterns).pipe(
        concatMap((steps) => this.#below('', steps, 0, report)),
        reduce((paths, path) => paths.add(path), new Set<string>()),
      );
      return paths$.pipe(
        concatMap((paths) => {
          const wanted = [...paths].filter((path) => !this.#isExcluded(path)).sort();
          const beyond = Math.max(0, wanted.length - this.#maxFiles);
          return this.#lookAt(wanted.slice(0, this.#maxFiles), report).pipe(
            map((found) => ({ found, unreadable, beyond })),
          );
        }),
      );
    });
  }

  #below(
    folder: string,
    steps: readonly (string | RegExp)[],
    depth: number,
    report: (path: string, error: unknown) => void,
  ): Observable<string> {
    const [step, ...rest] = steps;
    if (step === undefined) return EMPTY;
    if (typeof step === 'string' && step !== ANY_FOLDERS) {
      const path = `${folder}/${step}`;
      return rest.length === 0 ? of(path) : this.#below(path, rest, depth, report);
    }
    const listed$ = this.#list(folder, report);
    if (step instanceof RegExp) {
      return listed$.pipe(
        mergeMap(({ name, kind }) => {
          if (!step.test(name) || isHidden(name, step)) return EMPTY;
          const path = `${folder}/${name}`;
          if (rest.length === 0) return kind === 'file' || kind === 'link' ? of(path) : EMPTY;
          return kind === 'folder' || kind === 'link' ? this.#below(path, rest, depth, report) : EMPTY;
        }, CONCURRENCY),
      );
    }
    // `**` at the end is any file below.
    const here = rest.length === 0 ? [/^[^.]/s] : rest;
    if (depth >= MAX_DEPTH) return this.#below(folder, here, depth, report);
    const deeper$ = listed$.pipe(
      mergeMap(
        ({ name, kind }) =>
          kind === 'folder' && !name.startsWith('.')
            ? this.#below(`${folder}/${name}`, steps, depth + 1, report)
            : EMPTY,
        CONCURRENCY,
      ),
    );
    return from([this.#below(folder, here, depth, report), deeper$]).pipe(concatMap((paths$) => paths$));
  }

  #list(folder: string, report: (path: string, error: unknown) => void): Observable<LocalName> {
    const path = folder === '' ? '/' : folder;
    return defer(() => from(this.#files.list(path))).pipe(
      catchError((error: unknown) => {
        report(path, error);
        return EMPTY;
      }),
      concatMap((names) => names),
    );
  }

  #lookAt(paths: readonly string[], report: (path: string, error: unknown) => void): Observable<readonly FoundFile[]> {
    return from(paths).pipe(
      mergeMap(
        (path) =>
          defer(() => from(this.#files.stat(path))).pipe(
            map((stats) => ({ path, stats })),
            catchError((error: unknown) => {
              report(path, error);
              return EMPTY;
            }),
          ),
        CONCURRENCY,
      ),
      reduce((found, one) => {
        if (one.stats.kind === 'file') found.push(one);
        return found;
      }, [] as FoundFile[]),
      map((found) => withoutAliases(found)),
    );
  }
}

function withoutAliases(found: FoundFile[]): FoundFile[] {
  const byFile = new Map<string, FoundFile>();
  found.sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const one of found) {
    const key = fileKey(one.stats);
    if (!byFile.has(key)) byFile.set(key, one);
  }
  return [...byFile.values()];
}

/** What tells two files apart that exist at the same time. */
export function fileKey({ dev, ino }: Pick<LocalFileStats, 'dev' | 'ino'>): string {
  return `${dev}:${ino}`;
}

/** A name that begins with a dot is matched only by a pattern that does. */
function isHidden(name: string, pattern: RegExp): boolean {
  return name.startsWith('.') && !pattern.source.startsWith('^\\.');
}

function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as { readonly code?: string } | null)?.code ?? '');
}
