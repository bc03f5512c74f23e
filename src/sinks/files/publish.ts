import { concatMap, from, ignoreElements, map, mergeMap, type Observable, of, throwError } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import type { FileSystem } from '../../ports/file-system.js';

/** Renames that run side by side. */
const RENAME_AT_ONCE = 8;

/** A whole file that is to become visible. */
export interface Publication {
  /** Where it is, and where it is to be: full paths. */
  readonly temporary: string;
  readonly final: string;
  readonly bytes: number;
}

/** What became of a file that could not be renamed: it stood there already, or it is in neither place. */
export type Published = 'published' | 'gone';

/**
 * Moves each file to its final path; emits what became of each. No name is ever used for two files, so one that stands
 * there with the right length is ours, published by an earlier try or another writer.
 *
 * Fails: `RXF_FILES_EXISTS` where something else stands there, and as the file system does.
 */
export function publish(
  fs: FileSystem,
  files: readonly Publication[],
): Observable<{ readonly file: Publication; readonly came: Published }> {
  return from(files).pipe(
    mergeMap((file) => {
      const came$ = from(fs.publish(file.temporary, file.final)).pipe(
        concatMap((answer) => (answer === 'renamed' ? of<Published>('published') : look(fs, file))),
      );
      return came$.pipe(map((came) => ({ file, came })));
    }, RENAME_AT_ONCE),
  );
}

function look(fs: FileSystem, file: Publication): Observable<Published> {
  return from(fs.status(file.final)).pipe(
    map((found) => {
      if (found?.bytes === file.bytes) return 'published';
      if (found === null) return 'gone';
      throw otherError(fs, file, found.bytes);
    }),
  );
}

/** Fails with `RXF_FILES_MISSING` at the first file that is gone. */
export function allPublished(
  fs: FileSystem,
  published$: Observable<{ readonly file: Publication; readonly came: Published }>,
): Observable<never> {
  return published$.pipe(
    concatMap(({ file, came }) => (came === 'published' ? of(file) : throwError(() => goneError(fs, file)))),
    ignoreElements(),
  );
}

function otherError(fs: FileSystem, { temporary, final, bytes }: Publication, found: number): SinkError {
  return new SinkError(
    'RXF_FILES_EXISTS',
    `${fs.name}: cannot move ${temporary} (${bytes} bytes) to ${final}, where another file of ${found} bytes stands. Nothing ` +
      'was overwritten. See what else writes there, and move it away.',
    { details: { from: temporary, to: final, bytes, found }, retryable: true },
  );
}

function goneError(fs: FileSystem, { temporary, final }: Publication): SinkError {
  return new SinkError(
    'RXF_FILES_MISSING',
    `${fs.name}: ${temporary} is gone before it could be moved to ${final}. See what else removes files under ` +
      '_rxflume/tmp; the values come again.',
    { details: { from: temporary, to: final }, retryable: true },
  );
}
