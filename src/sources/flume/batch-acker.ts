import { Subject } from 'rxjs';
import { InFlightSizes } from '../../backpressure/in-flight-sizes.js';
import type { InFlightWindow } from '../../backpressure/in-flight-window.js';
import type { RecordPosition } from '../../core/flow-sources.js';
import { randomName } from '../../core/random-name.js';
import type { Acker, FlushSignal } from '../../delivery/acker.js';
import { Delivery } from '../../delivery/delivery.js';
import type { FlumeEvent } from '../../formats/flume-event.js';
import { flumeEventBytes, flumeEventOverhead } from '../../formats/flume-event.js';
import type { FlumeBatch } from '../../ports/flume-rpc.js';
import { PendingBatch } from './pending-batch.js';

/** What an account tells the session it belongs to. */
export interface BatchAckerListener {
  /** Every event of a batch is durable. */
  acked(batch: PendingBatch): void;
  /** The first of a batch's events was nacked. */
  nacked(batch: PendingBatch, offset: number, cause: unknown): void;
  released(): void;
  /** So many of those in memory are released, or acked. */
  handedOver(count: number): void;
}

/**
 * The acker of all events of one subscription: what is out of which batch, and so when a batch is answered.
 *
 * Bounds: a few words and one bit an event for each batch that is not answered; the window counts what events take decoded.
 */
export class BatchAcker implements Acker {
  readonly flush$ = new Subject<FlushSignal>();
  readonly #stream: string;
  readonly #base: number;
  /** Two that began at the same moment, or after the clock was set back, count the same offsets. */
  readonly #run = randomName();
  readonly #window: InFlightWindow;
  readonly #listener: BatchAckerListener;
  readonly #unreleased = new InFlightSizes();
  /** In order of their sequence numbers. */
  readonly #open: PendingBatch[] = [];
  #seqs = 0;
  #isOver = false;

  /** `base`: the offset of the first event; above all offsets of earlier subscriptions. */
  constructor(stream: string, base: number, window: InFlightWindow, listener: BatchAckerListener) {
    this.#stream = stream;
    this.#base = base;
    this.#window = window;
    this.#listener = listener;
  }

  /** Batches that are out, in whole or in part, and not answered; oldest first. */
  get open(): readonly PendingBatch[] {
    return this.#open;
  }

  /** Where an event is. One whose batch is answered counts as committed, also where the answer was that it is to be sent again. */
  locate(offset: number): RecordPosition | undefined {
    const seq = offset - this.#base;
    if (seq < 0) return undefined;
    if (seq >= this.#seqs) return { state: 'not read' };
    const batch = this.#open.find(({ first, next }) => first <= seq && seq < next);
    if (batch === undefined) return { state: 'committed' };
    if (batch.isAcked(seq)) return { state: 'settled' };
    return { state: 'in flight', sentAt: batch.sentAt, isReleased: !this.#unreleased.has(seq) };
  }

  /** Begins to hand a batch out. */
  begin(batch: FlumeBatch, askAt: number, at: { readonly time: number; readonly sentAt: number }): PendingBatch {
    const pending = new PendingBatch(batch, this.#seqs, askAt, at);
    this.#open.push(pending);
    return pending;
  }

  /** The next event of a batch, counted as out from here on. Only of the batch that was begun last. */
  take(from: PendingBatch): Delivery<FlumeEvent> {
    const event = from.take();
    const seq = this.#seqs;
    const byteLength = flumeEventBytes(event);
    const memory = byteLength + flumeEventOverhead(event);
    this.#seqs += 1;
    this.#unreleased.add(memory);
    this.#window.take(memory);
    const origin = {
      stream: this.#stream,
      offset: this.#base + seq,
      run: this.#run,
      epoch: 1,
      byteLength,
      timestamp: timestampOf(event.headers.timestamp),
    };
    return new Delivery(event, origin, this, seq);
  }

  /** Gives a batch up: what is out of it is stale. */
  drop(pending: PendingBatch): void {
    const at = this.#open.indexOf(pending);
    if (at >= 0) this.#open.splice(at, 1);
  }

  ack(first: number, next: number): void {
    for (const pending of this.#touched(first, next)) {
      if (!pending.ack(first, next)) continue;
      this.drop(pending);
      this.#listener.acked(pending);
    }
    this.release(first, next);
  }

  nack(first: number, next: number, cause: unknown): void {
    for (const pending of this.#touched(first, next)) {
      let seq = Math.max(first, pending.first);
      const end = Math.min(next, pending.next);
      while (seq < end && pending.isAcked(seq)) seq += 1;
      if (seq === end) continue;
      this.drop(pending);
      this.#listener.nacked(pending, this.#base + seq, cause);
    }
    if (this.#free(first, next) > 0) this.#listener.released();
  }

  release(first: number, next: number): void {
    const count = this.#free(first, next);
    if (count === 0) return;
    this.#listener.handedOver(count);
    this.#listener.released();
  }

  /** Nothing to note: what a client sends cannot be read again from a ledger. */
  hold(): void {}

  /** Ends the epoch: later acks and nacks are stale, and holders are notified. Releases still count. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#open.length = 0;
    this.flush$.complete();
  }

  #free(first: number, next: number): number {
    const { count, bytes } = this.#unreleased.release(first, next);
    this.#window.free(count, bytes);
    return count;
  }

  /** The open batches that have sequence numbers in [first, next). */
  #touched(first: number, next: number): readonly PendingBatch[] {
    const open = this.#open;
    let low = 0;
    let high = open.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((open[middle] as PendingBatch).next <= first) low = middle + 1;
      else high = middle;
    }
    const touched: PendingBatch[] = [];
    for (let at = low; at < open.length && (open[at] as PendingBatch).first < next; at += 1) {
      touched.push(open[at] as PendingBatch);
    }
    return touched;
  }
}

/** Flume's own convention: the header `timestamp`, milliseconds since 1970. */
export function timestampOf(header: string | undefined): number | undefined {
  if (header === undefined || !/^\d{1,15}$/.test(header)) return undefined;
  return Number(header);
}
