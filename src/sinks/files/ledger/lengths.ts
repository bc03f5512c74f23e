import { catchError, concat, concatMap, from, map, mergeMap, type Observable, of, reduce, throwError } from 'rxjs';
import { SinkError } from '../../../core/errors.js';
import type { FileStatus, FileSystem } from '../../../ports/file-system.js';
import { one } from '../file-calls.js';

/** From so many files of one folder on it is listed instead of asking for each. */
const WORTH_LISTING = 32;
const ASK_AT_ONCE = 8;
/** Fewer, since a listing may be as large as the driver lets an answer be. */
const LIST_AT_ONCE = 2;

/**
 * The lengths of those of these files that exist, by path. A folder of many of them is listed once; where the listing is
 * larger than the driver takes, each is asked for after all.
 *
 * Bounds: the paths, eight questions at once or two listings at once.
 * Fails: as the file system does.
 */
export function lengthsOf(fs: FileSystem, paths: readonly string[]): Observable<ReadonlyMap<string, number>> {
  const byFolder = new Map<string, string[]>();
  for (const path of paths) {
    const asked = byFolder.get(folderOf(path));
    if (asked === undefined) byFolder.set(folderOf(path), [path]);
    else asked.push(path);
  }
  const isMany = (asked: readonly string[]) => asked.length >= WORTH_LISTING;
  const few = [...byFolder.values()].filter((asked) => !isMany(asked)).flat();
  const many = [...byFolder].filter(([, asked]) => isMany(asked));
  return concat(
    askEach(fs, few),
    from(many).pipe(mergeMap(([folder, asked]) => listOnce(fs, folder, asked), LIST_AT_ONCE)),
  ).pipe(reduce((lengths, { path, bytes }) => lengths.set(path, bytes), new Map<string, number>()));
}

function askEach(fs: FileSystem, paths: readonly string[]): Observable<FileStatus> {
  return from(paths).pipe(
    mergeMap((path) => one(() => fs.status(path)), ASK_AT_ONCE),
    concatMap((found) => (found?.kind === 'file' ? [found] : [])),
  );
}

function listOnce(fs: FileSystem, folder: string, asked: readonly string[]): Observable<FileStatus> {
  const wanted = new Set(asked);
  return one(() => fs.list(folder)).pipe(
    map((found) => found.filter(({ path, kind }) => kind === 'file' && wanted.has(path))),
    catchError((error: unknown) =>
      error instanceof SinkError && error.code === 'RXF_FILES_PROTOCOL' ? of(null) : throwError(() => error),
    ),
    concatMap((found) => (found === null ? askEach(fs, asked) : found)),
  );
}

/** The folder a path is in. */
function folderOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}
