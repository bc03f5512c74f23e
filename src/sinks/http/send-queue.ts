import { Subscription } from 'rxjs';
import type { RxflumeError } from '../../core/errors.js';
import { Queue } from '../../core/queue.js';
import type { OutgoingBatch } from './outgoing-batch.js';
import type { Target } from './target.js';

/** A lane's place in the queue of its target. Void once it has had its turn, or its parcel is settled without one. */
export interface Ticket {
  readonly sendQueue: SendQueue;
  readonly number: number;
}

/** What is sent one after the other: parcels of one stream, or of keys that fall together, and the halves of these. */
export class SendQueue {
  readonly name: string;
  /** What is under way or waits for its try. */
  current: OutgoingBatch | undefined;
  /** Where the current one goes. */
  target: Target | undefined;
  /** How often the current one has failed. */
  failures = 0;
  /** How it failed last. */
  lastCause: RxflumeError | undefined;
  /** The current one was tried for as long as is allowed. */
  isLate = false;
  /** The epoch of the current one is over: it is redelivered by itself. */
  isVoid = false;
  isTrying = false;
  #ticket = 0;
  /** The request that is under way, or the wait for the next. */
  waiting = new Subscription();
  /** Counts the time since the first try of the current one. */
  limit: Subscription | undefined;
  readonly #halves: OutgoingBatch[] = [];
  #queue = new Queue<OutgoingBatch>();

  constructor(name: string) {
    this.name = name;
  }

  add(outgoing: OutgoingBatch): void {
    this.#queue.add(outgoing);
  }

  /** For the queue of its target; voids the one before. */
  ticket(): Ticket {
    this.#ticket += 1;
    return { sendQueue: this, number: this.#ticket };
  }

  isValid({ number }: Ticket): boolean {
    return number === this.#ticket;
  }

  /** Its turn has come. */
  begin(): void {
    this.#ticket += 1;
    this.isTrying = true;
  }

  /** Goes on to the next parcel, if there is one. */
  next(): OutgoingBatch | undefined {
    this.stop();
    this.#ticket += 1;
    this.current = this.#halves.shift() ?? this.#queue.take();
    this.failures = 0;
    this.lastCause = undefined;
    this.isLate = false;
    this.isVoid = false;
    return this.current;
  }

  /** Puts the halves of the current one before all else. */
  halve(): void {
    if (this.current !== undefined) this.#halves.unshift(...this.current.halves());
  }

  /** Takes out what waits behind the current one and fits. */
  remove(fits: (outgoing: OutgoingBatch) => boolean): OutgoingBatch[] {
    const all = [...this.#halves.splice(0), ...this.#queue.takeAll()];
    // The halves come first again, also as part of the queue.
    for (const outgoing of all) if (!fits(outgoing)) this.#queue.add(outgoing);
    return all.filter(fits);
  }

  stop(): void {
    this.waiting.unsubscribe();
    this.waiting = new Subscription();
    this.limit?.unsubscribe();
    this.limit = undefined;
  }
}
