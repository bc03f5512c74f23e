import { Delivery } from './delivery.js';
import type { Duty } from './duty.js';
import { InFlightWindow, type WindowLimits } from './window.js';

/**
 * Deliveries for one who need not settle them: what is done with them touches nothing but a window of their own.
 *
 * Bounds: the size of each that is not released, within the window.
 */
export class SpareDuties {
  readonly #window: InFlightWindow;
  readonly #refused: (cause: unknown) => void;
  readonly #duties = new WeakMap<Duty, SpareDuty>();

  /** `refused` is told of each refusal. */
  constructor(limits: WindowLimits, refused: (cause: unknown) => void) {
    this.#window = new InFlightWindow(limits);
    this.#refused = refused;
  }

  get isFull(): boolean {
    return this.#window.isFull;
  }

  /** The same value with a duty that binds nobody. */
  spare<T>({ value, origin, duty, place }: Delivery<T>): Delivery<T> {
    let own = this.#duties.get(duty);
    if (own === undefined) {
      own = new SpareDuty(duty, this.#window, this.#refused);
      this.#duties.set(duty, own);
    }
    own.take(place, origin.byteLength);
    return new Delivery(value, origin, own, place);
  }
}

/** Without `replay`: a ledger may not count on it. */
class SpareDuty implements Duty {
  readonly wanted;
  readonly isMixed;
  readonly #window: InFlightWindow;
  readonly #refused: (cause: unknown) => void;
  readonly #sizes = new Map<number, number>();

  constructor(inner: Duty, window: InFlightWindow, refused: (cause: unknown) => void) {
    this.wanted = inner.wanted;
    this.isMixed = inner.isMixed === true;
    this.#window = window;
    this.#refused = refused;
  }

  take(place: number, bytes: number): void {
    if (this.#sizes.has(place)) return;
    this.#sizes.set(place, bytes);
    this.#window.take(bytes);
  }

  ack(first: number, next: number): void {
    this.release(first, next);
  }

  nack(first: number, next: number, cause: unknown): void {
    this.release(first, next);
    this.#refused(cause);
  }

  release(first: number, next: number): void {
    for (let place = first; place < next; place += 1) {
      const size = this.#sizes.get(place);
      if (size === undefined) continue;
      this.#sizes.delete(place);
      this.#window.free(1, size);
    }
  }

  hold(): void {}
}
