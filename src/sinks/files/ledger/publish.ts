import { catchError, concatMap, from, map, mergeMap, type Observable, of, throwError, toArray } from 'rxjs';
import { SinkError } from '../../../core/errors.js';
import type { FileSystem } from '../../../ports/file-system.js';
import { one } from '../file-calls.js';
import type { StoredFile } from './entry.js';

/** Renames that run side by side. */
const RENAME_AT_ONCE = 8;

/**
 * What became of a file: it is at its final path, it was set aside for good since it cannot be there, or it is gone.
 */
export type Published = 'published' | 'quarantined' | 'gone';

/** Takes files that can never be at their final paths. */
export interface SetAside {
  /** Takes a file whose rename has failed for good with `cause`. */
  take(file: StoredFile, cause: SinkError): Observable<Published>;
  /** Whether it was taken, of a file that is neither at its temporary nor at its final path. */
  has(file: StoredFile): Observable<boolean>;
}

/**
 * Moves each file to its final path; emits what became of each. No name is ever used for two files, so one that exists
 * there with the right length is ours, published by an earlier try or another writer.
 *
 * Fails: as the file system does, where the file may still be published later.
 */
export function publish<F extends StoredFile>(
  fs: FileSystem,
  files: readonly F[],
  aside: SetAside,
): Observable<{ readonly file: F; readonly came: Published }> {
  return from(files).pipe(
    mergeMap((file) => {
      const came$ = one(() => fs.publish(file.temporary, file.final)).pipe(
        concatMap((answer) => (answer === 'renamed' ? of<Published>('published') : look(fs, file, aside))),
        catchError((error: unknown) => (isForGood(error) ? aside.take(file, error) : throwError(() => error))),
      );
      return came$.pipe(map((came) => ({ file, came })));
    }, RENAME_AT_ONCE),
  );
}

/** Whether a file can never be where it was to be: the store does not take the name, or something else has it. */
export function isForGood(error: unknown): error is SinkError {
  return error instanceof SinkError && (error.code === 'RXF_FILES_NAME' || error.code === 'RXF_FILES_EXISTS');
}

function look(fs: FileSystem, file: StoredFile, aside: SetAside): Observable<Published> {
  return one(() => fs.status(file.final)).pipe(
    concatMap((found) => {
      if (found === null) return aside.has(file).pipe(map((has) => (has ? 'quarantined' : 'gone') as Published));
      if (found.kind === 'file' && found.bytes === file.bytes) return of<Published>('published');
      throw otherError(fs, file, found.kind === 'file' ? `another file of ${found.bytes} bytes` : 'a folder');
    }),
  );
}

/** The files that are at their final paths now. Fails with `RXF_FILES_MISSING` at the first that is gone. */
export function nowVisible<F extends StoredFile>(
  fs: FileSystem,
  published$: Observable<{ readonly file: F; readonly came: Published }>,
): Observable<readonly F[]> {
  return published$.pipe(
    concatMap((one) => (one.came === 'gone' ? throwError(() => goneError(fs, one.file)) : of(one))),
    toArray(),
    map((all) => all.filter(({ came }) => came === 'published').map(({ file }) => file)),
  );
}

function otherError(fs: FileSystem, { temporary, final, bytes }: StoredFile, found: string): SinkError {
  return new SinkError(
    'RXF_FILES_EXISTS',
    `${fs.name}: cannot move ${temporary} (${bytes} bytes) to ${final}: the path is taken by ${found}. Nothing was overwritten. ` +
      'Find out what else writes there, and move it away.',
    { details: { from: temporary, to: final, bytes, found } },
  );
}

function goneError(fs: FileSystem, { temporary, final }: StoredFile): SinkError {
  return new SinkError(
    'RXF_FILES_MISSING',
    `${fs.name}: ${temporary} is gone before it could be moved to ${final}. See what else removes files under ` +
      '_rxflume/tmp; the values are redelivered.',
    { details: { from: temporary, to: final }, retryable: true },
  );
}
