import { Delivery } from './delivery.js';
import type { Duty } from './duty.js';
import { isEpochOver } from './epoch.js';

export interface KeepingOptions<T> {
  /**
   * A delivery that is still kept was refused. True: it was taken over, and its fate is that of the delivery given here.
   * False: the refusal goes on. What it throws refuses that delivery, in place of the cause. `was` is the one that is kept.
   */
  readonly takeOver: (delivery: Delivery<T>, cause: unknown, was: Delivery<T>) => boolean;
  /** Something was acked or released. */
  readonly accepted?: () => void;
  /** Something was refused, kept or not. */
  readonly refused?: (cause: unknown) => void;
  /** Nothing is kept any more. */
  readonly emptied?: () => void;
  /** Whether a ledger may count on what is held; not where the same value may be stored elsewhere after a refusal. */
  readonly replay: 'shown' | 'hidden';
}

/**
 * Hands deliveries on and keeps each, until it is settled or released, so that another can take it over when it is refused.
 * What was released first is in memory no more: its refusal goes to the source, which brings it again.
 *
 * Bounds: what is not released, which the source's window bounds.
 */
export class Keeping<T> {
  readonly #options: KeepingOptions<T>;
  readonly #duties = new WeakMap<Duty, KeepingDuty<T>>();
  #size = 0;

  constructor(options: KeepingOptions<T>) {
    this.#options = options;
  }

  /** How many are kept: neither settled nor released. */
  get size(): number {
    return this.#size;
  }

  /** The same delivery, kept. */
  keep(delivery: Delivery<T>): Delivery<T> {
    let duty = this.#duties.get(delivery.duty);
    if (duty === undefined) {
      duty = new KeepingDuty(delivery.duty, this.#options, (count) => this.#changed(count));
      this.#duties.set(delivery.duty, duty);
    }
    duty.keep(delivery);
    return new Delivery(delivery.value, delivery.origin, duty, delivery.place);
  }

  #changed(count: number): void {
    this.#size += count;
    if (this.#size === 0 && count < 0) this.#options.emptied?.();
  }
}

class KeepingDuty<T> implements Duty {
  readonly wanted;
  readonly replay;
  readonly isMixed;
  readonly #inner: Duty;
  readonly #options: KeepingOptions<T>;
  readonly #changed: (count: number) => void;
  readonly #kept = new Map<number, Delivery<T>>();
  /** What was taken over and is not settled: what is said of it from here on counts for nothing. */
  readonly #takenOver = new Set<number>();
  readonly #others: Duty;

  constructor(inner: Duty, options: KeepingOptions<T>, changed: (count: number) => void) {
    this.#inner = inner;
    this.#options = options;
    this.#changed = changed;
    this.wanted = inner.wanted;
    this.replay = options.replay === 'shown' ? inner.replay : undefined;
    this.isMixed = inner.isMixed === true;
    this.#others = this.#dutyOfOthers();
  }

  keep(delivery: Delivery<T>): void {
    if (this.#kept.has(delivery.place)) return;
    this.#kept.set(delivery.place, delivery);
    this.#changed(1);
  }

  ack(first: number, next: number): void {
    this.#eachOwn(first, next, (from, to) => this.#inner.ack(from, to));
    this.#options.accepted?.();
    this.#forget(first, next);
  }

  release(first: number, next: number): void {
    this.#eachOwn(first, next, (from, to) => this.#inner.release(from, to));
    this.#options.accepted?.();
    this.#forget(first, next);
  }

  hold(first: number, next: number): void {
    if (this.replay !== undefined) this.#eachOwn(first, next, (from, to) => this.#inner.hold(from, to));
  }

  nack(first: number, next: number, cause: unknown): void {
    this.#options.refused?.(cause);
    const kept = this.#keptIn(first, next);
    // It is redelivered then: whoever took it over would store it twice.
    const isStale = kept.length > 0 && isEpochOver(this.wanted);
    for (const delivery of kept) {
      const { place } = delivery;
      this.#kept.delete(place);
      // Before it is handed over: whoever takes it may settle it at once.
      this.#takenOver.add(place);
      const taken = new Delivery(delivery.value, delivery.origin, this.#others, place);
      try {
        if (isStale || !this.#options.takeOver(taken, cause, delivery)) this.#takenOver.delete(place);
      } catch (thrown) {
        this.#takenOver.delete(place);
        // First: of the refusals that follow it hears nothing more.
        this.#inner.nack(place, place + 1, thrown);
      }
    }
    this.#eachOwn(first, next, (from, to) => this.#inner.nack(from, to, cause));
    if (kept.length > 0) this.#changed(-kept.length);
  }

  #forget(first: number, next: number): void {
    const kept = this.#keptIn(first, next);
    for (const { place } of kept) this.#kept.delete(place);
    if (kept.length > 0) this.#changed(-kept.length);
  }

  /** A run may be of a million places, and few of them kept: whichever is less is looked through. */
  #keptIn(first: number, next: number): Delivery<T>[] {
    if (next - first > this.#kept.size) {
      return [...this.#kept.values()].filter(({ place }) => place >= first && place < next);
    }
    const found: Delivery<T>[] = [];
    for (let place = first; place < next; place += 1) {
      const delivery = this.#kept.get(place);
      if (delivery !== undefined) found.push(delivery);
    }
    return found;
  }

  /** Visits the runs of places that are not another's now. */
  #eachOwn(first: number, next: number, visit: (first: number, next: number) => void): void {
    if (this.#takenOver.size === 0) {
      visit(first, next);
      return;
    }
    if (next === first + 1) {
      if (!this.#takenOver.has(first)) visit(first, next);
      return;
    }
    const others = [...this.#takenOver].filter((place) => place >= first && place < next).sort((a, b) => a - b);
    let from = first;
    for (const place of others) {
      if (place > from) visit(from, place);
      from = place + 1;
    }
    if (from < next) visit(from, next);
  }

  /** The duty of what was taken over. */
  #dutyOfOthers(): Duty {
    const inner = this.#inner;
    const settled = (first: number, next: number) => {
      for (let place = first; place < next; place += 1) this.#takenOver.delete(place);
    };
    return {
      wanted: this.wanted,
      replay: this.replay,
      isMixed: this.isMixed,
      ack: (first, next) => {
        settled(first, next);
        inner.ack(first, next);
      },
      nack: (first, next, cause) => {
        settled(first, next);
        inner.nack(first, next, cause);
      },
      release: (first, next) => inner.release(first, next),
      hold: (first, next) => {
        if (this.replay !== undefined) inner.hold(first, next);
      },
    };
  }
}
