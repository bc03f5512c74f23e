import { catchError, concat, concatMap, EMPTY, map, type Observable, throwError } from 'rxjs';
import { FencedError, SinkError } from '../../../core/errors.js';
import { one, readOrNull, writeWhole } from '../file-calls.js';
import { beginningPath, temporaryFolder } from '../names.js';
import type { LedgerStore } from './store.js';

/**
 * Notes where a stream begins whose ledger is empty, so that it begins there after a restart too: an entry without files
 * from 0 to the start. It has the name that every first commit would have, so a writer that began elsewhere is fenced. An entry cannot
 * end where it begins, so a start at 0 is a file of its own.
 *
 * Fails: as the file system does. Where another has begun the stream, it completes, and the other's start remains.
 */
export function begin(store: LedgerStore, stream: string, start: number, writer: string): Observable<never> {
  if (start === 0) return beginAtZero(store, stream, writer);
  return store
    .commit({ writer, stream, from: 0, next: start, files: [] }, () => undefined)
    .pipe(
      concatMap(() => EMPTY),
      catchError((error: unknown) => (error instanceof FencedError ? EMPTY : throwError(() => error))),
    );
}

/** Whether a stream whose ledger is empty was begun at its offset 0. */
export function isBegunAtZero(store: LedgerStore, stream: string): Observable<boolean> {
  return readOrNull(store.fs, beginningPath(store.root, stream), 1).pipe(map((bytes) => bytes !== null));
}

function beginAtZero(store: LedgerStore, stream: string, writer: string): Observable<never> {
  const temporary = `${temporaryFolder(store.root, stream, 0)}/${writer}-begin`;
  return concat(
    writeWhole(store.fs, temporary, new TextEncoder().encode('0')),
    one(() => store.fs.rename(temporary, beginningPath(store.root, stream))).pipe(
      concatMap((answer) => {
        if (answer === 'renamed') return EMPTY;
        const error = new SinkError(
          'RXF_FILES_MISSING',
          `${temporary} was removed before the start of ${stream} was noted.`,
          {
            details: { stream, path: temporary },
            retryable: true,
          },
        );
        return answer === 'exists'
          ? one(() => store.fs.remove(temporary)).pipe(concatMap(() => EMPTY))
          : throwError(() => error);
      }),
    ),
  );
}
