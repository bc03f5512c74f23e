import { Subject } from 'rxjs';
import { InFlightSizes } from '../../backpressure/in-flight-sizes.js';
import type { InFlightWindow } from '../../backpressure/in-flight-window.js';
import type { RecordPosition } from '../../core/flow-sources.js';
import { randomName } from '../../core/random-name.js';
import type { Acker, FlushSignal } from '../../delivery/acker.js';
import { Delivery } from '../../delivery/delivery.js';
import type { Measured, Received } from './intake.js';
import { PendingRequest, type RequestTimes } from './pending-request.js';

export interface Nack {
  readonly offset: number;
  readonly count: number;
  readonly cause: unknown;
}

/** What an account tells the session it belongs to. */
export interface RequestAckerListener<T> {
  /** Every value of a request is durable. */
  acked(request: PendingRequest<T>): void;
  /** Values of a request were nacked, the first of them at this offset. */
  nacked(request: PendingRequest<T>, nack: Nack): void;
  /** Whether a request goes on after a nack, without what was nacked of it; otherwise it is dropped. */
  readonly goesOnAfterNack: boolean;
  released(): void;
  /** So many of those in memory are released, or acked. */
  handedOver(count: number): void;
}

/**
 * The acker of all values of one subscription: what is out of which request, and so when a request is answered.
 *
 * Bounds: a few words and one bit a value for each request that is not answered; the window counts what values take decoded.
 */
export class RequestAcker<T> implements Acker {
  readonly flush$ = new Subject<FlushSignal>();
  readonly #stream: string;
  readonly #base: number;
  /** Two that began at the same moment, or after the clock was set back, count the same offsets. */
  readonly #run = randomName();
  readonly #window: InFlightWindow;
  readonly #measure: (value: T) => Measured;
  readonly #listener: RequestAckerListener<T>;
  readonly #unreleased = new InFlightSizes();
  /** In order of their sequence numbers. */
  #open: PendingRequest<T>[] = [];
  #seqs = 0;
  #isOver = false;

  /** `base`: the offset of the first value; above all offsets of earlier subscriptions. */
  constructor(
    stream: string,
    base: number,
    window: InFlightWindow,
    measure: (value: T) => Measured,
    listener: RequestAckerListener<T>,
  ) {
    this.#stream = stream;
    this.#base = base;
    this.#window = window;
    this.#measure = measure;
    this.#listener = listener;
  }

  /** Requests that are out, in whole or in part, and not answered; oldest first. */
  get open(): readonly PendingRequest<T>[] {
    return this.#open;
  }

  /** Where a value is. One whose request is answered counts as committed, also where the answer was that it is to be sent again. */
  locate(offset: number): RecordPosition | undefined {
    const seq = offset - this.#base;
    if (seq < 0) return undefined;
    if (seq >= this.#seqs) return { state: 'not read' };
    const request = this.#open.find(({ first, next }) => first <= seq && seq < next);
    if (request === undefined) return { state: 'committed' };
    if (request.unacked(seq, seq + 1).count === 0) return { state: 'settled' };
    return { state: 'in flight', sentAt: request.sentAt, isReleased: !this.#unreleased.has(seq) };
  }

  /** Begins to hand a request out. */
  begin(request: Received<T>, askAt: number, at: RequestTimes): PendingRequest<T> {
    const pending = new PendingRequest(request, this.#seqs, askAt, at);
    this.#open.push(pending);
    return pending;
  }

  /** The next value of a request, counted as out from here on. Only of the request that was begun last. */
  take(from: PendingRequest<T>): Delivery<T> {
    const value = from.take();
    const seq = this.#seqs;
    const { byteLength, memory, timestamp, headers } = this.#measure(value);
    this.#seqs += 1;
    this.#unreleased.add(memory);
    this.#window.take(memory);
    const origin = {
      stream: this.#stream,
      offset: this.#base + seq,
      run: this.#run,
      epoch: 1,
      byteLength,
      timestamp,
      ...(headers !== undefined && { headers }),
    };
    return new Delivery(value, origin, this, seq);
  }

  /** Gives a request up: what is out of it is stale. */
  drop(pending: PendingRequest<T>): void {
    const at = this.#open.indexOf(pending);
    if (at >= 0) this.#removeAt(at);
  }

  ack(first: number, next: number): void {
    const at = this.#firstBehind(first);
    const pending = this.#open[at];
    // Most requests hold one value, or are settled as a whole.
    if (pending?.first === first && pending.next === next) {
      this.#removeAt(at);
      this.#listener.acked(pending);
    } else this.#settle(first, next, this.#open.slice(...this.#range(first, next)));
    this.release(first, next);
  }

  nack(first: number, next: number, cause: unknown): void {
    const touched = this.#open.slice(...this.#range(first, next));
    const fresh = touched.filter((pending) => pending.unacked(first, next).count > 0);
    for (const pending of fresh) {
      const { lowest, count } = pending.unacked(first, next);
      // One that cannot be sent again goes on without what was nacked of it.
      if (this.#listener.goesOnAfterNack) pending.lost += count;
      else this.drop(pending);
      this.#listener.nacked(pending, { offset: this.#base + lowest, count, cause });
    }
    if (this.#listener.goesOnAfterNack) this.#settle(first, next, fresh);
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

  #settle(first: number, next: number, touched: readonly PendingRequest<T>[]): void {
    const done = touched.filter((pending) => pending.ack(first, next));
    if (done.length === 0) return;
    const at = this.#open.indexOf(done[0] as PendingRequest<T>);
    if (this.#open[at + done.length - 1] === done.at(-1)) this.#open.splice(at, done.length);
    else {
      const gone = new Set(done);
      this.#open = this.#open.filter((pending) => !gone.has(pending));
    }
    for (const pending of done) this.#listener.acked(pending);
  }

  #free(first: number, next: number): number {
    const { count, bytes } = this.#unreleased.release(first, next);
    this.#window.free(count, bytes);
    return count;
  }

  /** Where the open requests begin and end that have sequence numbers in [first, next). */
  #range(first: number, next: number): [low: number, high: number] {
    const open = this.#open;
    const low = this.#firstBehind(first);
    let high = low;
    while (high < open.length && (open[high] as PendingRequest<T>).first < next) high += 1;
    return [low, high];
  }

  /** Where the first open request is that ends behind a sequence number. */
  #firstBehind(seq: number): number {
    const open = this.#open;
    let low = 0;
    let high = open.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((open[middle] as PendingRequest<T>).next <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #removeAt(at: number): void {
    if (at === this.#open.length - 1) this.#open.pop();
    else if (at === 0) this.#open.shift();
    else this.#open.splice(at, 1);
  }
}
