import { Subject } from 'rxjs';
import { InFlightSizes } from '../backpressure/in-flight-sizes.js';
import type { RecordPosition } from '../core/flow-sources.js';
import type { Acker, FlushSignal } from '../delivery/acker.js';
import { CommitHorizon, type ResumePoint } from './commit-horizon.js';
import { SeqSet } from './seq-set.js';
import { Watermark } from './watermark.js';

/** What the acker of a stream tells the source it belongs to. */
export interface OffsetTrackerListener {
  acked(count: number): void;
  released(): void;
  /** A sink has begun to wait for what lies before its commit, or waits no more. */
  awaited(): void;
}

/**
 * The acker of a stream that is read in order, and read again after a nack: how far it is acked, what is nacked, what is
 * not released. A new epoch is a new object, so an ack of an old one cannot reach it.
 *
 * Bounds: four bytes for each unreleased sequence number, a bit for each from the watermark on.
 */
export abstract class OffsetTracker implements Acker {
  readonly flush$ = new Subject<FlushSignal>();
  readonly watermark: Watermark;
  /** Present where the source resumes from a ledger. */
  readonly resumeTracker: CommitHorizon | undefined;
  readonly #listener: OffsetTrackerListener;
  readonly #unreleased = new InFlightSizes();
  readonly #nacked = new SeqSet();
  #isOver = false;
  #handedOver = 0;

  /** `start`: the offset reading begins at, or −1 where that is not known; `resumePoint`: what a ledger said about it. */
  constructor(start: number, resumePoint: ResumePoint | undefined, listener: OffsetTrackerListener) {
    this.watermark = new Watermark(start);
    this.resumeTracker =
      resumePoint === undefined ? undefined : new CommitHorizon(this.watermark, resumePoint, () => listener.awaited());
    this.#listener = listener;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** How many are out and can still be acked: neither acked nor nacked, while the epoch lasts. */
  get unsettled(): number {
    return this.#isOver ? 0 : this.watermark.unacked - this.#nacked.size;
  }

  /** How many were released or acked: what a sink has taken the bytes of. */
  get handedOver(): number {
    return this.#handedOver;
  }

  /** Everything before this offset has left memory. */
  get releasedOffset(): number {
    return this.watermark.offsetFrom(Math.max(this.watermark.ackedEnd, this.#unreleased.lowest));
  }

  /** Where a record is; `committed`: everything before it is. */
  locate(offset: number, committed: number): RecordPosition {
    const { watermark } = this;
    if (offset < committed) return { state: 'committed' };
    if (offset < watermark.offset) return { state: 'settled' };
    // Where the epoch is over, what it has read and not settled is read again.
    if (this.#isOver || offset >= watermark.readEnd) return { state: 'not read' };
    const seq = watermark.seqOf(offset);
    if (seq === undefined) return { state: 'gone' };
    if (watermark.isAcked(seq)) return { state: 'settled' };
    const sentAt = this.sentAtOf(seq);
    const isReleased = !this.#unreleased.has(seq);
    return {
      state: 'in flight',
      ...(sentAt !== undefined && { sentAt }),
      isReleased,
      holdsUp: watermark.ackedBehind(seq),
    };
  }

  ack(first: number, next: number): void {
    let fresh = 0;
    if (!this.#isOver) {
      if (this.#nacked.size === 0) fresh = this.#ackRun(first, next);
      else {
        for (let seq = first; seq < next; seq += 1) {
          if (!this.#nacked.has(seq)) fresh += this.#ackRun(seq, seq + 1);
        }
      }
    }
    const freed = this.#free(first, next);
    this.#handedOver += freed;
    if (fresh > 0) this.advanced();
    if (fresh > 0) this.#listener.acked(fresh);
    // Of an epoch that is over it says nothing but that there is room: who waits for that must hear of it.
    else if (freed > 0) this.#listener.released();
  }

  nack(first: number, next: number, cause: unknown): void {
    let lowest = -1;
    if (!this.#isOver) {
      for (let seq = first; seq < next; seq += 1) {
        if (this.watermark.isAcked(seq) || !this.#nacked.add(seq)) continue;
        if (lowest < 0) lowest = this.watermark.offsetOf(seq);
      }
      if (lowest >= 0) this.resumeTracker?.nack(lowest);
    }
    const freed = this.#free(first, next);
    if (lowest >= 0) this.nacked(lowest, cause);
    else if (freed > 0) this.#listener.released();
  }

  release(first: number, next: number): void {
    const freed = this.#free(first, next);
    if (freed === 0) return;
    this.#handedOver += freed;
    this.#listener.released();
  }

  hold(first: number, next: number): void {
    if (!this.#isOver) this.resumeTracker?.cover(first, next);
  }

  /** Ends the epoch: later acks and nacks are stale, and holders are notified. Releases still count. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.flush$.complete();
  }

  /** Counts what has arrived as out from here on; its sequence number. */
  protected add(offset: number, bytes: number): number {
    this.#unreleased.add(bytes);
    return this.watermark.add(offset);
  }

  /** When it went out, as far as that is known. */
  protected abstract sentAtOf(seq: number): number | undefined;

  /** More is acked, and the listener has not heard of it. */
  protected advanced(): void {}

  /** Called with the lowest offset that was not nacked before. */
  protected abstract nacked(offset: number, cause: unknown): void;

  /** So many of the run of sequence numbers, of so many bytes, are newly released. */
  protected abstract freed(count: number, bytes: number, first: number, next: number): void;

  #ackRun(first: number, next: number): number {
    this.resumeTracker?.cover(first, next);
    return this.watermark.ack(first, next);
  }

  #free(first: number, next: number): number {
    const { count, bytes } = this.#unreleased.release(first, next);
    if (count > 0) this.freed(count, bytes, first, next);
    return count;
  }
}
