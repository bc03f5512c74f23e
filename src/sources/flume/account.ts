import { Subject } from 'rxjs';
import { Delivery } from '../../core/delivery.js';
import type { Duty, Want } from '../../core/duty.js';
import type { FlumeEvent } from '../../core/flume.js';
import { flumeEventBytes, flumeEventOverhead } from '../../core/flume.js';
import { randomName } from '../../core/random-name.js';
import { Unreleased } from '../../core/unreleased.js';
import type { InFlightWindow } from '../../core/window.js';
import type { FlumeBatch } from '../../ports/flume-rpc.js';
import { Unanswered } from './unanswered.js';

/** What an account tells the session it belongs to. */
export interface AccountListener {
  /** Every event of a batch is durable. */
  acked(batch: Unanswered): void;
  /** The first of a batch's events was refused. */
  nacked(batch: Unanswered, offset: number, cause: unknown): void;
  released(): void;
}

/**
 * The duty of all events of one subscription: what is out of which batch, and so when a batch is answered.
 *
 * Bounds: a few words and one bit an event for each batch that is not answered; the window counts what events take decoded.
 */
export class Account implements Duty {
  readonly wanted = new Subject<Want>();
  readonly #stream: string;
  readonly #base: number;
  /** Two that began at the same moment, or after the clock was set back, count the same offsets. */
  readonly #run = randomName();
  readonly #window: InFlightWindow;
  readonly #listener: AccountListener;
  readonly #unreleased = new Unreleased();
  /** In order of their places. */
  readonly #open: Unanswered[] = [];
  #places = 0;
  #isOver = false;

  /** `base`: the offset of the first event; above all offsets of earlier subscriptions. */
  constructor(stream: string, base: number, window: InFlightWindow, listener: AccountListener) {
    this.#stream = stream;
    this.#base = base;
    this.#window = window;
    this.#listener = listener;
  }

  /** Batches that are out, in whole or in part, and not answered; oldest first. */
  get open(): readonly Unanswered[] {
    return this.#open;
  }

  /** Begins to hand a batch out. */
  begin(batch: FlumeBatch, askAt: number): Unanswered {
    const unanswered = new Unanswered(batch, this.#places, askAt);
    this.#open.push(unanswered);
    return unanswered;
  }

  /** The next event of a batch, counted as out from here on. Only of the batch that was begun last. */
  take(from: Unanswered): Delivery<FlumeEvent> {
    const event = from.take();
    const place = this.#places;
    const byteLength = flumeEventBytes(event);
    const memory = byteLength + flumeEventOverhead(event);
    this.#places += 1;
    this.#unreleased.add(memory);
    this.#window.take(memory);
    const origin = {
      stream: this.#stream,
      offset: this.#base + place,
      run: this.#run,
      epoch: 1,
      byteLength,
      timestamp: timestampOf(event.headers.timestamp),
    };
    return new Delivery(event, origin, this, place);
  }

  /** Gives a batch up: what is out of it is void. */
  drop(unanswered: Unanswered): void {
    const at = this.#open.indexOf(unanswered);
    if (at >= 0) this.#open.splice(at, 1);
  }

  ack(first: number, next: number): void {
    for (const unanswered of this.#touched(first, next)) {
      if (!unanswered.ack(first, next)) continue;
      this.drop(unanswered);
      this.#listener.acked(unanswered);
    }
    this.release(first, next);
  }

  nack(first: number, next: number, cause: unknown): void {
    for (const unanswered of this.#touched(first, next)) {
      let place = Math.max(first, unanswered.first);
      const end = Math.min(next, unanswered.next);
      while (place < end && unanswered.isAcked(place)) place += 1;
      if (place === end) continue;
      this.drop(unanswered);
      this.#listener.nacked(unanswered, this.#base + place, cause);
    }
    this.release(first, next);
  }

  release(first: number, next: number): void {
    const freed = this.#unreleased.release(first, next);
    if (freed.count === 0) return;
    this.#window.free(freed.count, freed.bytes);
    this.#listener.released();
  }

  /** Nothing to note: what a client sends cannot be read again from a ledger. */
  hold(): void {}

  /** Ends the epoch: later acks and nacks are void, and holders are told so. Releases still count. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#open.length = 0;
    this.wanted.complete();
  }

  /** The open batches that have places in [first, next). */
  #touched(first: number, next: number): readonly Unanswered[] {
    const open = this.#open;
    let low = 0;
    let high = open.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((open[middle] as Unanswered).next <= first) low = middle + 1;
      else high = middle;
    }
    const touched: Unanswered[] = [];
    for (let at = low; at < open.length && (open[at] as Unanswered).first < next; at += 1) {
      touched.push(open[at] as Unanswered);
    }
    return touched;
  }
}

/** Flume's own convention: the header `timestamp`, milliseconds since 1970. */
function timestampOf(header: string | undefined): number | undefined {
  if (header === undefined || !/^\d{1,15}$/.test(header)) return undefined;
  return Number(header);
}
