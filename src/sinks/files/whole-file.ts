import type { ObservableInput } from 'rxjs';
import { concat, concatMap, defer, EMPTY, from, ignoreElements, type Observable, take, throwError } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import type { FileSystem } from '../../ports/file-system.js';
import { retryWhereRemoved } from './removed.js';

/** A call of a port as an Observable of its one answer. */
export function one<T>(call: () => ObservableInput<T>): Observable<T> {
  return defer(() => from(call())).pipe(take(1));
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

function lengthError(path: string): SinkError {
  return new SinkError('RXF_FILES_LENGTH', `${path} was not stored as long as it was sent. It is written anew.`, {
    details: { path },
  });
}
