import type { Acker } from './acker.js';
import { Delivery } from './delivery.js';

/**
 * An acker in front of another: of the same stream and epoch, so holders see the same `flush$`. Each verb goes on to the
 * acker behind; a subclass overrides those in which it does something of its own.
 */
export class ForwardingAcker implements Acker {
  readonly flush$;
  readonly resumeTracker;
  readonly isMixed;
  readonly #inner: Acker;

  /** `hidden`: no ledger may count on what is held. */
  constructor(inner: Acker, resumeTracker: 'shown' | 'hidden' = 'shown') {
    this.#inner = inner;
    this.flush$ = inner.flush$;
    this.resumeTracker = resumeTracker === 'shown' ? inner.resumeTracker : undefined;
    this.isMixed = inner.isMixed === true;
  }

  /** The same delivery, settled through this acker. */
  adopt<T>({ value, origin, seq }: Delivery<T>): Delivery<T> {
    return new Delivery(value, origin, this, seq);
  }

  ack(first: number, next: number): void {
    this.#inner.ack(first, next);
  }

  nack(first: number, next: number, cause: unknown): void {
    this.#inner.nack(first, next, cause);
  }

  release(first: number, next: number): void {
    this.#inner.release(first, next);
  }

  hold(first: number, next: number): void {
    this.#inner.hold(first, next);
  }
}

/** Gives for a delivery what `make` made for the first one of its acker. Bounds: one object for each acker in memory. */
export function oncePerAcker<A>(make: (delivery: Delivery<unknown>) => A): (delivery: Delivery<unknown>) => A {
  const made = new WeakMap<Acker, A>();
  return (delivery) => {
    let own = made.get(delivery.acker);
    if (own === undefined) {
      own = make(delivery);
      made.set(delivery.acker, own);
    }
    return own;
  };
}
