import type { Observable } from 'rxjs';
import type { OffsetStore } from '../offsets/offset-store.js';

/**
 * What a source asks of everyone who holds its deliveries:
 * `release`: its window is full of bytes that someone holds back; hand them over.
 * `catchUp`: the sink whose ledger it resumes from waits for what lies before its commit; all others pass on, or settle.
 * `settle`: it cannot go on, or is about to leave; make durable what you hold, and settle it.
 */
export type FlushSignal = 'release' | 'catchUp' | 'settle';

/**
 * How the deliveries of an acker follow the offsets of a stream that can be read again from where a ledger says. A commit
 * to that ledger may end at an offset only when nothing before it is on its way elsewhere.
 */
export interface ResumeTracker {
  /** What the source asked where to resume; only the sink that this belongs to may commit to its ledger. */
  readonly resumeFrom: OffsetStore;
  /** What it answered, that very object, which distinguishes one resumption of the stream from the next. */
  readonly lookup: ReadonlyMap<string, number>;
  /** Where the next entry of the ledger begins, of that answer. Undefined where there was no entry. */
  readonly start: number | undefined;
  /** The offset up to which everything is acked or held, see `Acker.hold`. */
  readonly horizon: number;
  /**
   * Completes when `reach` is at the offset or beyond; meanwhile the source asks its holders to catch up. Fails when
   * something before the offset is nacked, since the offset can then never be reached.
   */
  reached(offset: number): Observable<never>;
}

/**
 * The account in which the deliveries of one stream and assignment epoch are settled. A sequence number is the order of arrival
 * within it, dense from 0, so a holder of a million deliveries keeps a bit for each instead of the objects.
 *
 * Each verb takes the run of sequence numbers [first, next), is one-shot for each sequence number (later calls are no-ops) and never
 * throws. Acks and nacks after the epoch has ended are stale and do nothing; releases still count, since they free memory.
 */
export interface Acker {
  ack(first: number, next: number): void;
  nack(first: number, next: number, cause: unknown): void;
  release(first: number, next: number): void;
  /** The sink whose ledger the source resumes from has these in the files of its next commit. Promises nothing yet. */
  hold(first: number, next: number): void;
  /**
   * Emits what the source asks of the holders; completes when the epoch is over and what is held is stale. The same
   * object for all deliveries of one stream and epoch, so that holders can tell epochs apart by it.
   */
  readonly flush$: Observable<FlushSignal>;
  /** Present where the stream is read again from where a ledger says; the same object for all of one stream and epoch. */
  readonly resumeTracker?: ResumeTracker | undefined;
  /** True where deliveries of several streams or epochs were joined, so that it belongs to no one of them. */
  readonly isMixed?: boolean;
}
