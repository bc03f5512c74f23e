import {
  catchError,
  concat,
  concatMap,
  defer,
  EMPTY,
  forkJoin,
  from,
  ignoreElements,
  map,
  type Observable,
  of,
  retry,
  throwError,
} from 'rxjs';
import { FencedError, SinkError } from '../../../core/errors.js';
import type { ColumnTypes } from '../../../formats/format.js';
import type { FileSystem } from '../../../ports/file-system.js';
import { one, readOrNull, writeWhole } from '../file-calls.js';
import { ledgerFolder, ledgerPath, nameOf, offsetOfText, temporaryFolder } from '../names.js';
import { checkedBytes, type LedgerEntry, MAX_READ_BYTES, readEntry } from './entry.js';
import type { LedgerRules } from './rules.js';

/** An entry that is folded away between listing and reading means that a newer one exists: look again, so often. */
const LOOKS = 5;
/** How often a rename is asked for whose entry exists, and which fails. */
const RENAMES = 2;

/**
 * The ledger of one sink as it is in the file system: entries are written whole under a temporary name, renamed into
 * their place, and read back. Bounds: one entry in memory for each call.
 */
export class LedgerStore {
  readonly root: string;
  readonly fs: FileSystem;
  readonly rules: LedgerRules;
  /** The columns of the files that are committed, of a format that has such. */
  readonly columns: ColumnTypes | undefined;

  constructor(fs: FileSystem, root: string, rules: LedgerRules, columns?: ColumnTypes) {
    this.fs = fs;
    this.root = root;
    this.rules = rules;
    this.columns = columns;
  }

  /** Where the entries of a stream begin, in order. */
  list(stream: string): Observable<readonly number[]> {
    return one(() => this.fs.list(ledgerFolder(this.root, stream))).pipe(
      map((found) =>
        found
          .filter(({ kind }) => kind === 'file')
          .map(({ path }) => offsetOfText(nameOf(path)))
          .filter((offset) => offset !== null)
          .sort((a, b) => a - b),
      ),
    );
  }

  /** The entry that begins there, null where there is none. */
  read(stream: string, from: number): Observable<LedgerEntry | null> {
    const path = ledgerPath(this.root, stream, from);
    return readOrNull(this.fs, path, MAX_READ_BYTES).pipe(
      map((bytes) => bytes && readEntry(bytes, path, stream, from)),
    );
  }

  /** The newest entry of a stream, null where its ledger is empty. */
  newest(stream: string): Observable<LedgerEntry | null> {
    return this.list(stream).pipe(
      concatMap((listed) => {
        const last = listed.at(-1);
        if (last === undefined) return of(null);
        return this.read(stream, last).pipe(
          concatMap((entry) => (entry === null ? throwError(() => new FoldedMeanwhile()) : of(entry))),
        );
      }),
      retry({
        count: LOOKS,
        delay: (error) => (error instanceof FoldedMeanwhile ? of(0) : throwError(() => error)),
      }),
    );
  }

  /**
   * Commits an entry. Emits where the entries that exist begin, once ours is seen to exist and to be the newest, and the
   * file system has answered: an entry that exists after a rename that failed is visible, and need not be durable. So that
   * rename is asked for once more.
   *
   * Fails: `RXF_LEDGER_ENTRY` before anything is done; `RXF_LEDGER_FENCED` where another writer owns the stream; as the file
   * system does where it is not known what became of it, after `sent` was called: then the entry's files must stay where they are.
   */
  commit(entry: LedgerEntry, sent: () => void): Observable<readonly number[]> {
    const temporary = `${temporaryFolder(this.root, entry.stream, entry.from)}/${entry.writer}-entry`;
    const place = ledgerPath(this.root, entry.stream, entry.from);
    const answer$ = defer(() => {
      sent();
      return one(() => this.fs.rename(temporary, place));
    });
    return concat(
      defer(() => writeWhole(this.fs, temporary, checkedBytes(entry))),
      this.#judged(entry, answer$, RENAMES),
    );
  }

  /** Removes entries that are not needed any more. What fails is done with the next commit. */
  fold(stream: string, listed: readonly number[]): Observable<never> {
    return from(this.rules.toFold(listed)).pipe(
      concatMap((offset) => one(() => this.fs.remove(ledgerPath(this.root, stream, offset)))),
      ignoreElements(),
      catchError(() => EMPTY),
    );
  }

  /** What is there decides, whatever the rename answers; that it is durable, only an answer says. */
  #judged(ours: LedgerEntry, answer$: Observable<unknown>, renames: number): Observable<readonly number[]> {
    return answer$.pipe(
      map(() => undefined),
      catchError((error: unknown) => of({ error })),
      concatMap((failure) =>
        forkJoin([this.read(ours.stream, ours.from), this.list(ours.stream)]).pipe(
          concatMap(([existing, listed]) => {
            const outcome = this.rules.outcomeOf({ ours, existing, listed });
            if (outcome === 'committed' && failure === undefined) return of(listed);
            if (outcome === 'committed' && renames > 1) return this.#judged(ours, answer$, renames - 1);
            if (outcome === 'fenced' || outcome === 'overtaken') throw fencedError(this.fs, ours, existing);
            throw failure === undefined ? goneError(this.fs, ours) : failure.error;
          }),
        ),
      ),
    );
  }
}

class FoldedMeanwhile extends Error {}

function goneError(fs: FileSystem, { stream, from, writer }: LedgerEntry): SinkError {
  return new SinkError(
    'RXF_FILES_MISSING',
    `${fs.name}: the entry of ${stream} from ${from} (writer ${writer}) is neither in the ledger nor where it was written. ` +
      'See what else removes files under _rxflume; the values are redelivered.',
    { details: { stream, from }, retryable: true },
  );
}

function fencedError(fs: FileSystem, ours: LedgerEntry, existing: LedgerEntry | null): FencedError {
  const { stream, from, next } = ours;
  const why =
    existing === null || existing.writer === ours.writer
      ? 'others have committed after it'
      : `writer ${existing.writer} has committed from there`;
  return new FencedError(
    'RXF_LEDGER_FENCED',
    `${fs.name}: the commit of ${stream} from ${from} to ${next} is stale: ${why}. Nothing of it is visible; the stream ` +
      'resumes from the ledger if it is still assigned to this process.',
    { details: { stream, from, next, writer: ours.writer, existing: existing?.writer ?? null } },
  );
}
