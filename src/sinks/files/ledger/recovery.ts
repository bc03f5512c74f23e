import {
  catchError,
  concat,
  concatMap,
  defer,
  EMPTY,
  ignoreElements,
  map,
  mergeMap,
  type Observable,
  of,
  tap,
} from 'rxjs';
import { describeError, SinkError } from '../../../core/errors.js';
import type { Monitor } from '../../../core/monitor.js';
import { one } from '../file-calls.js';
import { nameOf, offsetOfText, temporaryFolder } from '../names.js';
import { isBegunAtZero } from './beginning.js';
import type { LedgerEntry } from './entry.js';
import { publish } from './publish.js';
import { Quarantine } from './quarantine.js';
import type { LedgerStore } from './store.js';

/** Folders of temporary files that are removed side by side. */
const REMOVE_AT_ONCE = 4;

/**
 * Resumes a stream: finishes what its newest entry has committed and not published, and emits where to read on;
 * undefined where the ledger is empty and the stream was not begun. Then removes the temporary files that nobody can commit any more, without being
 * waited for.
 *
 * Fails: as the file system does, `RXF_LEDGER_DAMAGED` where the newest entry cannot be used, `RXF_LEDGER_COLUMN` where a column has another type
 * than in its files.
 */
export function recover(store: LedgerStore, stream: string, monitor: Monitor): Observable<number | undefined> {
  return store.newest(stream).pipe(
    concatMap((newest) => {
      if (newest === null) return isBegunAtZero(store, stream).pipe(map((isBegun) => (isBegun ? 0 : undefined)));
      return concat(
        finish(store, newest, monitor),
        defer(() => {
          expectSameTypes(store, newest);
          startRemoving(store, newest, monitor);
          return of(store.rules.resumeAt(newest));
        }),
      );
    }),
  );
}

function finish(store: LedgerStore, newest: LedgerEntry, monitor: Monitor): Observable<never> {
  const files = store.rules.toFinish(newest).map((file) => ({
    ...file,
    temporary: `${store.root}/${file.temporary}`,
    final: `${store.root}/${file.final}`,
  }));
  const quarantine = new Quarantine(store.fs, store.root, newest.stream, monitor);
  return publish(store.fs, files, quarantine).pipe(
    tap(({ file, came }) => {
      if (came !== 'gone') return;
      // It was published and moved away by a reader of the folder, or removed by hand: nothing here can tell.
      monitor.logEvent(
        'warn',
        'ledger.gone',
        `${store.fs.name}: ${file.final}, committed in the ledger of ${newest.stream} from ${newest.from} to ${newest.next}, is ` +
          `neither there nor at ${file.temporary}. If no reader of the folder has moved it, its values are lost.`,
      );
    }),
    ignoreElements(),
  );
}

/** Columns may be added and left out: readers merge them by name, and cannot where the types differ. */
function expectSameTypes({ fs, columns = {} }: LedgerStore, { stream, next, columns: before = {} }: LedgerEntry): void {
  const changed = Object.keys(columns).find((path) => Object.hasOwn(before, path) && before[path] !== columns[path]);
  if (changed === undefined) return;
  const [was, is] = [before[changed], columns[changed]];
  throw new SinkError(
    'RXF_LEDGER_COLUMN',
    `${fs.name}: the column \`${changed}\` is ${is}, and the files of ${stream} have it as ${was}, up to offset ${next}: no reader merges the two. ` +
      'Give the column another name, or its old type, or write to another root. Nothing was written.',
    { details: { stream, column: changed, was, is } },
  );
}

/** Begins to remove what nobody can commit any more; it goes on by itself. */
function startRemoving(store: LedgerStore, newest: LedgerEntry, monitor: Monitor): void {
  removeOrphans(store, newest).subscribe({
    error: (error: unknown) =>
      monitor.logEvent(
        'info',
        'ledger.orphans',
        `Temporary files of ${newest.stream} could not be removed: ${describeError(error)}. The next assignment tries again.`,
      ),
  });
}

/** Removes the temporary files of every commit that can no longer be made. */
function removeOrphans(store: LedgerStore, newest: LedgerEntry): Observable<never> {
  return one(() => store.fs.list(temporaryFolder(store.root, newest.stream))).pipe(
    concatMap((folders) => folders.map(({ path }) => path)),
    mergeMap((path) => {
      const from = offsetOfText(nameOf(path));
      if (from === null || !store.rules.mayRemove(from, newest.from)) return EMPTY;
      return one(() => store.fs.remove(path));
    }, REMOVE_AT_ONCE),
    ignoreElements(),
  );
}

/** Removes what is left of a commit that exists and is published. What fails is done by a recovery. */
export function removeLeftovers(store: LedgerStore, entry: LedgerEntry): Observable<never> {
  return one(() => store.fs.remove(temporaryFolder(store.root, entry.stream, entry.from))).pipe(
    ignoreElements(),
    catchError(() => EMPTY),
  );
}

/** Resumes several streams, a few at once; answers where each is to be read on, without those that have no entry. */
export function recoverAll(
  store: LedgerStore,
  streams: readonly string[],
  monitor: Monitor,
): Observable<ReadonlyMap<string, number>> {
  const positions = new Map<string, number>();
  return concat(
    defer(() => streams).pipe(
      mergeMap((stream) => recover(store, stream, monitor).pipe(map((next) => ({ stream, next }))), REMOVE_AT_ONCE),
      tap(({ stream, next }) => {
        if (next !== undefined) positions.set(stream, next);
      }),
      ignoreElements(),
    ),
    defer(() => of(positions)),
  );
}
