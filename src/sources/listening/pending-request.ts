import { SeqSet } from '../../offsets/seq-set.js';
import type { Outcome, Received } from './intake.js';

/** When a request was made and handed out. */
export interface RequestTimes {
  /** When it was made, in milliseconds since 1970, and when its first value went out, by a monotonic clock. */
  readonly time: number;
  readonly sentAt: number;
}

/**
 * A client's request from when its first value goes out to its answer: which of its sequence numbers are acked.
 *
 * Bounds: the values that have not gone out, and a bit for each that was acked out of order.
 */
export class PendingRequest<T> {
  /** The client, for messages. */
  readonly client: string;
  /** How many values it has. */
  readonly count: number;
  /** The sequence number of its first value; those of the others follow without a gap. */
  readonly first: number;
  readonly time: number;
  readonly sentAt: number;
  /** How many of its values were nacked, where it goes on without them. */
  lost = 0;
  /** When its holders are next to be asked to settle. */
  askAt: number;
  readonly #reply: (outcome: Outcome) => boolean;
  /** Not the request, which would keep every value in memory until the answer. */
  #values: (T | undefined)[];
  #emitted = 0;
  #acked: SeqSet | undefined;
  #ackedCount = 0;

  constructor(request: Received<T>, first: number, askAt: number, at: RequestTimes = { time: 0, sentAt: 0 }) {
    this.client = request.client;
    this.count = request.values.length;
    this.first = first;
    this.askAt = askAt;
    this.time = at.time;
    this.sentAt = at.sentAt;
    this.#reply = request.reply;
    this.#values = [...request.values];
  }

  /** The sequence number behind its last value. */
  get next(): number {
    return this.first + this.count;
  }

  /** How many of its values have not gone out. */
  get waiting(): number {
    return this.count - this.#emitted;
  }

  get isWhole(): boolean {
    return this.#emitted === this.count;
  }

  /** How many of its values are acked, where not all are. */
  get ackedCount(): number {
    return this.#ackedCount;
  }

  /** The next value to go out. */
  take(): T {
    const value = this.#values[this.#emitted] as T;
    this.#values[this.#emitted] = undefined;
    this.#emitted += 1;
    if (this.isWhole) this.#values = [];
    return value;
  }

  /** Answers the client; false where it has gone. */
  reply(outcome: Outcome): boolean {
    return this.#reply(outcome);
  }

  /** Acks its sequence numbers in [first, next); true when all of them are. */
  ack(first: number, next: number): boolean {
    if (first <= this.first && next >= this.next) return true;
    this.#acked ??= new SeqSet();
    for (let seq = Math.max(first, this.first); seq < Math.min(next, this.next); seq += 1) {
      if (this.#acked.add(seq)) this.#ackedCount += 1;
    }
    return this.#ackedCount === this.count;
  }

  /** Of its sequence numbers in [first, next): the lowest that is not acked, and how many are not. */
  unacked(first: number, next: number): { readonly lowest: number; readonly count: number } {
    let lowest = -1;
    let count = 0;
    for (let seq = Math.max(first, this.first); seq < Math.min(next, this.next); seq += 1) {
      if (this.#acked?.has(seq) === true) continue;
      if (lowest < 0) lowest = seq;
      count += 1;
    }
    return { lowest, count };
  }
}
