import { Subscription } from 'rxjs';
import type { RxflumeError } from '../../core/errors.js';
import { Queue } from '../../core/queue.js';
import type { Parcel } from './parcel.js';
import type { Target } from './target.js';

/** A lane's place in the queue of its target. Void once it has had its turn, or its parcel is settled without one. */
export interface Ticket {
  readonly lane: Lane;
  readonly number: number;
}

/** What is sent one after the other: parcels of one stream, or of keys that fall together, and the halves of these. */
export class Lane {
  readonly name: string;
  /** What is under way or waits for its try. */
  current: Parcel | undefined;
  /** Where the current one goes. */
  target: Target | undefined;
  /** How often the current one has failed. */
  failures = 0;
  /** How it failed last. */
  lastCause: RxflumeError | undefined;
  /** The current one was tried for as long as is allowed. */
  isLate = false;
  /** The epoch of the current one is over: it comes again by itself. */
  isVoid = false;
  isTrying = false;
  #ticket = 0;
  /** The request that is under way, or the wait for the next. */
  waiting = new Subscription();
  /** Counts the time since the first try of the current one. */
  limit: Subscription | undefined;
  readonly #halves: Parcel[] = [];
  #queue = new Queue<Parcel>();

  constructor(name: string) {
    this.name = name;
  }

  add(parcel: Parcel): void {
    this.#queue.add(parcel);
  }

  /** For the queue of its target; voids the one before. */
  ticket(): Ticket {
    this.#ticket += 1;
    return { lane: this, number: this.#ticket };
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
  next(): Parcel | undefined {
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
  remove(fits: (parcel: Parcel) => boolean): Parcel[] {
    const all = [...this.#halves.splice(0), ...this.#queue.takeAll()];
    // The halves come first again, also as part of the queue.
    for (const parcel of all) if (!fits(parcel)) this.#queue.add(parcel);
    return all.filter(fits);
  }

  stop(): void {
    this.waiting.unsubscribe();
    this.waiting = new Subscription();
    this.limit?.unsubscribe();
    this.limit = undefined;
  }
}
