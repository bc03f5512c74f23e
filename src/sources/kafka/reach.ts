import { defer, EMPTY, filter, finalize, ignoreElements, type Observable, Subject, startWith, take } from 'rxjs';
import type { Replay } from '../../core/duty.js';
import type { Positions } from '../../core/positions.js';
import { Watermark } from './watermark.js';

/** What a ledger was asked, and what it said: the next offset, undefined where it knows nothing of the stream. */
export interface TakenUp {
  readonly resumeFrom: Positions;
  readonly start: number | undefined;
}

/**
 * How far everything of a partition is acked or held by the sink whose ledger it is taken up from: a second watermark,
 * ahead of the first by what that sink has in its files and has not committed.
 *
 * Bounds: as `Watermark`.
 */
export class Reach implements Replay {
  readonly resumeFrom: Positions;
  readonly start: number | undefined;
  readonly #covered: Watermark;
  readonly #advanced$ = new Subject<void>();
  readonly #waitingChanged: () => void;
  #waiting = 0;

  constructor(start: number, takenUp: TakenUp, waitingChanged: () => void) {
    this.resumeFrom = takenUp.resumeFrom;
    this.start = takenUp.start;
    this.#covered = new Watermark(start);
    this.#waitingChanged = waitingChanged;
  }

  get reach(): number {
    return this.#covered.offset;
  }

  /** True while a sink waits for what lies before its commit. */
  get isAwaited(): boolean {
    return this.#waiting > 0;
  }

  reached(offset: number): Observable<never> {
    return defer(() => {
      if (this.reach >= offset) return EMPTY;
      this.#waiting += 1;
      this.#waitingChanged();
      return this.#advanced$.pipe(
        // Whoever was asked to catch up may have done so at once.
        startWith(undefined),
        filter(() => this.reach >= offset),
        take(1),
        ignoreElements(),
        finalize(() => {
          this.#waiting -= 1;
          this.#waitingChanged();
        }),
      );
    });
  }

  add(offset: number): void {
    this.#covered.add(offset);
  }

  readUpTo(nextOffset: number): void {
    this.#covered.readUpTo(nextOffset);
    if (this.#waiting > 0) this.#advanced$.next();
  }

  /** The run of places is acked or held. */
  cover(first: number, next: number): void {
    this.#covered.ack(first, next);
    if (this.#waiting > 0) this.#advanced$.next();
  }
}
