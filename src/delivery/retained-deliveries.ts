import type { Acker } from './acker.js';
import type { Delivery } from './delivery.js';
import { isEpochOver } from './flush-listeners.js';
import { ForwardingAcker, oncePerAcker } from './forwarding-acker.js';

export interface RetainedDeliveriesOptions<T> {
  /**
   * A delivery that is still kept was nacked. True: it was taken over, and its fate is that of the delivery given here.
   * False: the nack goes on to the source. What it throws replaces the cause. `was` is the one that is kept.
   */
  readonly takeOver: (delivery: Delivery<T>, cause: unknown, was: Delivery<T>) => boolean;
  /** Something was acked or released. */
  readonly accepted?: () => void;
  /** Something was nacked, kept or not. */
  readonly nacked?: (cause: unknown) => void;
  /** Nothing is kept any more. */
  readonly emptied?: () => void;
  /** Whether a ledger may count on what is held; not where the same value may be stored elsewhere after a nack. */
  readonly resumeTracker: 'shown' | 'hidden';
}

/**
 * Passes deliveries on and keeps each, until it is settled or released, so that another can take it over when it is nacked.
 * What was released first is in memory no more: its nack goes to the source, which redelivers it.
 *
 * Bounds: what is not released, which the source's window bounds.
 */
export class RetainedDeliveries<T> {
  readonly #options: RetainedDeliveriesOptions<T>;
  readonly #ackerOf = oncePerAcker(
    ({ acker }) => new RetainedAcker<T>(acker, this.#options, (count) => this.#changed(count)),
  );
  #size = 0;

  constructor(options: RetainedDeliveriesOptions<T>) {
    this.#options = options;
  }

  /** How many are kept: neither settled nor released. */
  get size(): number {
    return this.#size;
  }

  /** The same delivery, kept. */
  keep(delivery: Delivery<T>): Delivery<T> {
    const acker = this.#ackerOf(delivery);
    acker.keep(delivery);
    return acker.adopt(delivery);
  }

  #changed(count: number): void {
    this.#size += count;
    if (this.#size === 0 && count < 0) this.#options.emptied?.();
  }
}

class RetainedAcker<T> extends ForwardingAcker {
  readonly #options: RetainedDeliveriesOptions<T>;
  readonly #changed: (count: number) => void;
  readonly #kept = new Map<number, Delivery<T>>();
  /** What was taken over and is not settled: what is said of it from here on counts for nothing. */
  readonly #takenOver = new Set<number>();
  readonly #others: TakenOverAcker;

  constructor(inner: Acker, options: RetainedDeliveriesOptions<T>, changed: (count: number) => void) {
    super(inner, options.resumeTracker);
    this.#options = options;
    this.#changed = changed;
    this.#others = new TakenOverAcker(inner, options.resumeTracker, this.#takenOver);
  }

  keep(delivery: Delivery<T>): void {
    if (this.#kept.has(delivery.seq)) return;
    this.#kept.set(delivery.seq, delivery);
    this.#changed(1);
  }

  override ack(first: number, next: number): void {
    this.#eachOwn(first, next, (from, to) => super.ack(from, to));
    this.#options.accepted?.();
    this.#forget(first, next);
  }

  override release(first: number, next: number): void {
    this.#eachOwn(first, next, (from, to) => super.release(from, to));
    this.#options.accepted?.();
    this.#forget(first, next);
  }

  override hold(first: number, next: number): void {
    if (this.resumeTracker !== undefined) this.#eachOwn(first, next, (from, to) => super.hold(from, to));
  }

  override nack(first: number, next: number, cause: unknown): void {
    this.#options.nacked?.(cause);
    const kept = this.#keptIn(first, next);
    // It is redelivered then: to keep it would store it twice.
    const isStale = kept.length > 0 && isEpochOver(this.flush$);
    for (const delivery of kept) {
      const { seq } = delivery;
      this.#kept.delete(seq);
      // Before it is passed on: the one that takes it may settle it at once.
      this.#takenOver.add(seq);
      const taken = this.#others.adopt(delivery);
      try {
        if (isStale || !this.#options.takeOver(taken, cause, delivery)) this.#takenOver.delete(seq);
      } catch (thrown) {
        this.#takenOver.delete(seq);
        // First: the acker ignores the nacks that follow.
        super.nack(seq, seq + 1, thrown);
      }
    }
    this.#eachOwn(first, next, (from, to) => super.nack(from, to, cause));
    if (kept.length > 0) this.#changed(-kept.length);
  }

  #forget(first: number, next: number): void {
    const kept = this.#keptIn(first, next);
    for (const { seq } of kept) this.#kept.delete(seq);
    if (kept.length > 0) this.#changed(-kept.length);
  }

  /** A run may be of a million sequence numbers, and few of them kept: whichever is less is looked through. */
  #keptIn(first: number, next: number): Delivery<T>[] {
    if (next - first > this.#kept.size) {
      return [...this.#kept.values()].filter(({ seq }) => seq >= first && seq < next);
    }
    const found: Delivery<T>[] = [];
    for (let seq = first; seq < next; seq += 1) {
      const delivery = this.#kept.get(seq);
      if (delivery !== undefined) found.push(delivery);
    }
    return found;
  }

  /** Visits the runs of sequence numbers that are not another's now. */
  #eachOwn(first: number, next: number, visit: (first: number, next: number) => void): void {
    if (this.#takenOver.size === 0) {
      visit(first, next);
      return;
    }
    if (next === first + 1) {
      if (!this.#takenOver.has(first)) visit(first, next);
      return;
    }
    const others = [...this.#takenOver].filter((seq) => seq >= first && seq < next).sort((a, b) => a - b);
    let from = first;
    for (const seq of others) {
      if (seq > from) visit(from, seq);
      from = seq + 1;
    }
    if (from < next) visit(from, next);
  }
}

/** The acker of what was taken over. */
class TakenOverAcker extends ForwardingAcker {
  readonly #takenOver: Set<number>;

  constructor(inner: Acker, resumeTracker: 'shown' | 'hidden', takenOver: Set<number>) {
    super(inner, resumeTracker);
    this.#takenOver = takenOver;
  }

  override ack(first: number, next: number): void {
    this.#settled(first, next);
    super.ack(first, next);
  }

  override nack(first: number, next: number, cause: unknown): void {
    this.#settled(first, next);
    super.nack(first, next, cause);
  }

  override hold(first: number, next: number): void {
    if (this.resumeTracker !== undefined) super.hold(first, next);
  }

  #settled(first: number, next: number): void {
    for (let seq = first; seq < next; seq += 1) this.#takenOver.delete(seq);
  }
}
