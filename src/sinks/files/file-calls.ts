import {
  catchError,
  concat,
  concatMap,
  defer,
  EMPTY,
  from,
  ignoreElements,
  type MonoTypeOperatorFunction,
  type Observable,
  type ObservableInput,
  of,
  take,
  throwError,
} from 'rxjs';
import { describeError, SinkError } from '../../core/errors.js';
import type { FileSystem } from '../../ports/file-system.js';

/** A call of a port as an Observable of its one answer. */
export function one<T>(call: () => ObservableInput<T>): Observable<T> {
  return defer(() => from(call())).pipe(take(1));
}

/** The bytes of a file, null where there is none. */
export function readOrNull(fs: FileSystem, path: string, mostBytes: number): Observable<Uint8Array | null> {
  return one(() => fs.read(path, mostBytes)).pipe(
    catchError((error: unknown) => (isMissing(error) ? of(null) : throwError(() => error))),
  );
}

function isMissing(error: unknown): error is SinkError {
  return error instanceof SinkError && error.code === 'RXF_FILES_MISSING';
}

/** Writes a small file of the sink's own, whole; completes when it is closed with its length. Fails: as the file system does. */
export function writeWhole(fs: FileSystem, path: string, bytes: Uint8Array): Observable<never> {
  return defer(() => {
    const writer = fs.create(path);
    return concat(
      from(writer.write(bytes)).pipe(ignoreElements()),
      defer(() => one(() => writer.close())).pipe(
        concatMap((closed) => (closed.bytes === bytes.length ? EMPTY : throwError(() => lengthError(path)))),
      ),
    );
  }).pipe(retryWhereRemoved(path));
}

/**
 * A file of our own that is gone while it is written was removed under us: by the clean-up of another writer, when this
 * one was asleep and its commit can no longer be made, or by hand. Either way the values can be written again, so the
 * error may be retried; the ledger then tells where.
 */
export function removedError(path: string, cause: unknown): unknown {
  if (!isMissing(cause)) return cause;
  return new SinkError(
    'RXF_FILES_MISSING',
    `${path} was removed while it was written (${describeError(cause)}): by another writer that has taken the stream over, or ` +
      'by hand. Its values are redelivered.',
    { details: { path }, retryable: true, cause },
  );
}

/** The same for an Observable. */
export function retryWhereRemoved<T>(path: string): MonoTypeOperatorFunction<T> {
  return catchError((cause: unknown) => throwError(() => removedError(path, cause)));
}

function lengthError(path: string): SinkError {
  return new SinkError('RXF_FILES_LENGTH', `${path} was not stored as long as it was sent. It is written anew.`, {
    details: { path },
  });
}
