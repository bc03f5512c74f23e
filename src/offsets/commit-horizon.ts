import { defer, EMPTY, filter, finalize, ignoreElements, map, type Observable, Subject, startWith, take } from 'rxjs';
import { SinkError } from '../core/errors.js';
import type { ResumeTracker } from '../delivery/acker.js';
import { ContiguousPrefix } from './contiguous-prefix.js';
import type { OffsetStore } from './offset-store.js';
import type { Watermark } from './watermark.js';

/** What a ledger was asked, and what it said: the next offset, undefined where it knows nothing of the stream. */
export interface ResumePoint {
  readonly resumeFrom: OffsetStore;
  readonly lookup: ReadonlyMap<string, number>;
  readonly start: number | undefined;
}

/**
 * How far everything of a stream is acked or held by the sink whose ledger it is resumed from: ahead of the watermark
 * by what that sink has in its files and has not committed.
 *
 * Bounds: a bit for each record from there on.
 */
export class CommitHorizon implements ResumeTracker {
  readonly resumeFrom: OffsetStore;
  readonly lookup: ReadonlyMap<string, number>;
  readonly start: number | undefined;
  readonly #watermark: Watermark;
  readonly #covered = new ContiguousPrefix();
  readonly #advanced$ = new Subject<void>();
  readonly #waitingChanged: () => void;
  #waiting = 0;
  /** The lowest offset that was nacked: held or not, nothing may be committed past it. */
  #nacked = Number.POSITIVE_INFINITY;

  constructor(watermark: Watermark, resumePoint: ResumePoint, waitingChanged: () => void) {
    this.resumeFrom = resumePoint.resumeFrom;
    this.lookup = resumePoint.lookup;
    this.start = resumePoint.start;
    this.#watermark = watermark;
    this.#waitingChanged = waitingChanged;
  }

  get horizon(): number {
    return Math.min(this.#watermark.offsetFrom(this.#covered.end), this.#nacked);
  }

  /** True while a sink waits for what lies before its commit. */
  get isAwaited(): boolean {
    return this.#waiting > 0;
  }

  reached(offset: number): Observable<never> {
    return defer(() => {
      if (this.horizon >= offset) return EMPTY;
      this.#waiting += 1;
      this.#waitingChanged();
      return this.#advanced$.pipe(
        // A holder that was asked to catch up may have done so at once.
        startWith(undefined),
        map(() => {
          if (this.#nacked < offset) throw nackedError(this.#nacked);
        }),
        filter(() => this.horizon >= offset),
        take(1),
        ignoreElements(),
        finalize(() => {
          this.#waiting -= 1;
          this.#waitingChanged();
        }),
      );
    });
  }

  /** The log was read further, without records. */
  readFurther(): void {
    this.#advanced();
  }

  /** The run of sequence numbers is acked, or held. To be called before the watermark gets an ack, which it is never behind. */
  cover(first: number, next: number): void {
    this.#covered.mark(first, next);
    this.#advanced();
  }

  nack(offset: number): void {
    this.#nacked = Math.min(this.#nacked, offset);
    this.#advanced();
  }

  #advanced(): void {
    if (this.#waiting > 0) this.#advanced$.next();
  }
}

function nackedError(offset: number): SinkError {
  return new SinkError(
    'RXF_SINK_STOPPED',
    `Offset ${offset}, which precedes this commit, was nacked; everything from there on is redelivered.`,
    { details: { offset } },
  );
}
