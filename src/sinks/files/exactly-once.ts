import { concat, concatMap, defer, EMPTY, merge, type Observable, race, throwError, timer } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import type { ResumeTracker } from '../../delivery/acker.js';
import type { Receipt } from '../../delivery/receipt.js';
import type { LedgerEntry } from './ledger-entry.js';
import type { LedgerStore } from './ledger-store.js';
import { removeLeftovers } from './recovery.js';
import type { ClosedSegment, Ending } from './segment.js';
import { type LandsAs, type Placed, placed, type SegmentCommitter, shown } from './segment-committer.js';

/** The longest a commit waits for values before it that are elsewhere. */
export const BEHIND_MS = 120_000;

/**
 * Commits each segment to the ledger, then renames its files, then acks, one segment after the other: a reader of the
 * folder sees each value of the stream once, whatever dies or wakes at whichever step.
 *
 * Fails: `RXF_LEDGER_FENCED` where another writer owns the stream, `RXF_LEDGER_BEHIND` where values before a commit
 * are neither acked nor here for `BEHIND_MS`; otherwise as the file system does.
 */
export class ExactlyOnce implements SegmentCommitter {
  readonly #store: LedgerStore;
  readonly #as: LandsAs;
  readonly #resumeTracker: ResumeTracker;
  /** Where the next segment begins. */
  #next: number;

  constructor(store: LedgerStore, as: LandsAs, resumeTracker: ResumeTracker, firstOffset: number) {
    this.#store = store;
    this.#as = as;
    this.#resumeTracker = resumeTracker;
    this.#next = store.rules.startOf({ start: resumeTracker.start, firstOffset });
  }

  get next(): number {
    return this.#next;
  }

  get isBehind(): boolean {
    return this.#resumeTracker.horizon > this.#next;
  }

  begin(): number {
    return this.#next;
  }

  end(segment: Ending): void {
    this.#next = Math.max(this.#next, segment.cut);
    segment.hold();
  }

  whole({ cut }: Ending): Observable<never> {
    return defer(() => {
      if (!this.#store.rules.mustWait({ cut, horizon: this.#resumeTracker.horizon })) return EMPTY;
      const late$ = timer(BEHIND_MS).pipe(concatMap(() => throwError(() => this.#behindError(cut))));
      return race(this.#resumeTracker.reached(cut), late$);
    });
  }

  commit(segment: ClosedSegment, hasLater: () => boolean): Observable<Receipt> {
    return defer(() => {
      const { from, cut } = segment;
      const isLast = !hasLater();
      const next = this.#store.rules.endOf({ cut, horizon: this.#resumeTracker.horizon, hasLater: !isLast });
      if (isLast) this.#next = Math.max(this.#next, next);
      const files = placed(segment, this.#as);
      if (files.length === 0 && next <= from) return EMPTY;
      const entry = this.#entry(segment, next, files);
      const { fs } = this.#store;
      return this.#store
        .commit(entry, () => segment.sent())
        .pipe(
          concatMap((listed) =>
            concat(
              shown(fs, segment, files, this.#as),
              merge(this.#store.fold(entry.stream, listed), removeLeftovers(this.#store, entry)),
            ),
          ),
        );
    });
  }

  #entry({ from, number }: ClosedSegment, next: number, files: readonly Placed[]): LedgerEntry {
    const below = (path: string) => path.slice(this.#as.root.length + 1);
    return {
      writer: `${this.#as.writer}-${number}`,
      stream: this.#as.stream,
      from,
      next,
      files: files.map(({ temporary, final, bytes, file: { values, first, last } }) => ({
        temporary: below(temporary),
        final: below(final),
        bytes,
        values,
        first,
        last,
      })),
    };
  }

  #behindError(cut: number): SinkError {
    const { stream } = this.#as;
    const { horizon } = this.#resumeTracker;
    return new SinkError(
      'RXF_LEDGER_BEHIND',
      `${stream}: a commit up to ${cut} has waited ${BEHIND_MS} ms for offset ${horizon}, which is neither acked nor in this sink's ` +
        'files. Something between source and sink holds or has lost it: an operator that drops deliveries without acking ' +
        '(`filter`, `take`), or a write that takes this long. The values are redelivered.',
      { details: { stream, cut, horizon } },
    );
  }
}
