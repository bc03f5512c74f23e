import { Subject } from 'rxjs';
import type { Duty, Want } from './duty.js';
import { PlaceSet } from './place-set.js';
import { Reach, type TakenUp } from './reach.js';
import { Unreleased } from './unreleased.js';
import { Watermark } from './watermark.js';

/** What the duty of a stream tells the source it belongs to. */
export interface OrderedDutyListener {
  acked(count: number): void;
  released(): void;
  /** A sink has begun to wait for what lies before its commit, or waits no more. */
  awaited(): void;
}

/**
 * The duty of a stream that is read in order, and again after a refusal: how far it is acked, what is refused, what is
 * not released. A new epoch is a new object, so an ack of an old one cannot reach it.
 *
 * Bounds: four bytes for each unreleased place, a bit for each from the watermark on.
 */
export abstract class OrderedDuty implements Duty {
  readonly wanted = new Subject<Want>();
  readonly watermark: Watermark;
  /** Present where the source takes up from a ledger. */
  readonly replay: Reach | undefined;
  readonly #listener: OrderedDutyListener;
  readonly #unreleased = new Unreleased();
  readonly #nacked = new PlaceSet();
  #isOver = false;

  /** `start`: the offset reading begins at, or −1 where that is not known; `takenUp`: what a ledger said about it. */
  constructor(start: number, takenUp: TakenUp | undefined, listener: OrderedDutyListener) {
    this.watermark = new Watermark(start);
    this.replay = takenUp === undefined ? undefined : new Reach(this.watermark, takenUp, () => listener.awaited());
    this.#listener = listener;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** How many are out and can still be acked: neither acked nor refused, while the epoch lasts. */
  get unsettled(): number {
    return this.#isOver ? 0 : this.watermark.unacked - this.#nacked.size;
  }

  ack(first: number, next: number): void {
    let fresh = 0;
    if (!this.#isOver) {
      if (this.#nacked.size === 0) fresh = this.#ackRun(first, next);
      else {
        for (let place = first; place < next; place += 1) {
          if (!this.#nacked.has(place)) fresh += this.#ackRun(place, place + 1);
        }
      }
    }
    const isFreed = this.#free(first, next);
    if (fresh > 0) this.#listener.acked(fresh);
    // Of an epoch that is over it says nothing but that there is room: who waits for that must hear of it.
    else if (isFreed) this.#listener.released();
  }

  nack(first: number, next: number, cause: unknown): void {
    let lowest = -1;
    if (!this.#isOver) {
      for (let place = first; place < next; place += 1) {
        if (this.watermark.isAcked(place) || !this.#nacked.add(place)) continue;
        if (lowest < 0) lowest = this.watermark.offsetOf(place);
      }
      if (lowest >= 0) this.replay?.refuse(lowest);
    }
    const isFreed = this.#free(first, next);
    if (lowest >= 0) this.refused(lowest, cause);
    else if (isFreed) this.#listener.released();
  }

  release(first: number, next: number): void {
    if (this.#free(first, next)) this.#listener.released();
  }

  hold(first: number, next: number): void {
    if (!this.#isOver) this.replay?.cover(first, next);
  }

  /** Ends the epoch: later acks and nacks are void, and holders are told so. Releases still count. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.wanted.complete();
  }

  /** Counts what has arrived as out from here on; its place. */
  protected add(offset: number, bytes: number): number {
    this.#unreleased.add(bytes);
    return this.watermark.add(offset);
  }

  /** The lowest offset that a nack has newly refused. */
  protected abstract refused(offset: number, cause: unknown): void;

  /** So many of the run of places, of so many bytes, are newly released. */
  protected abstract freed(count: number, bytes: number, first: number, next: number): void;

  #ackRun(first: number, next: number): number {
    this.replay?.cover(first, next);
    return this.watermark.ack(first, next);
  }

  #free(first: number, next: number): boolean {
    const { count, bytes } = this.#unreleased.release(first, next);
    if (count === 0) return false;
    this.freed(count, bytes, first, next);
    return true;
  }
}
