import { PlaceSet } from '../../core/place-set.js';
import type { FlumeBatch } from '../../ports/flume-rpc.js';

/** A client's batch from when its first event goes out to its answer: which of its places are acked. */
export class Unanswered {
  readonly batch: FlumeBatch;
  /** The place of its first event; its events have places in a row. */
  readonly first: number;
  /** When its holders are next to be asked to settle. */
  askAt: number;
  /** How many of its events have gone out. */
  emitted = 0;
  #acked: PlaceSet | undefined;
  #ackedCount = 0;

  constructor(batch: FlumeBatch, first: number, askAt: number) {
    this.batch = batch;
    this.first = first;
    this.askAt = askAt;
  }

  /** The place behind its last event. */
  get next(): number {
    return this.first + this.batch.events.length;
  }

  get isWhole(): boolean {
    return this.emitted === this.batch.events.length;
  }

  /** Acks its places in [first, next); true when all of them are. */
  ack(first: number, next: number): boolean {
    if (first <= this.first && next >= this.next) return true;
    this.#acked ??= new PlaceSet();
    for (let place = Math.max(first, this.first); place < Math.min(next, this.next); place += 1) {
      if (this.#acked.add(place)) this.#ackedCount += 1;
    }
    return this.#ackedCount === this.batch.events.length;
  }

  isAcked(place: number): boolean {
    return this.#acked?.has(place) ?? false;
  }
}
