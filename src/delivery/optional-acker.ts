import { InFlightWindow, type WindowLimits } from '../backpressure/in-flight-window.js';
import type { Acker } from './acker.js';
import { Delivery } from './delivery.js';

/**
 * Deliveries for one who need not settle them: what is done with them touches nothing but a window of their own.
 *
 * Bounds: the size of each that is not released, within the window.
 */
export class OptionalAckers {
  readonly #window: InFlightWindow;
  readonly #refused: (cause: unknown) => void;
  readonly #ackers = new WeakMap<Acker, OptionalAcker>();

  /** `refused` is told of each refusal. */
  constructor(limits: WindowLimits, refused: (cause: unknown) => void) {
    this.#window = new InFlightWindow(limits);
    this.#refused = refused;
  }

  get isFull(): boolean {
    return this.#window.isFull;
  }

  /** The same value with an acker that binds nobody. */
  spare<T>({ value, origin, acker, seq }: Delivery<T>): Delivery<T> {
    let own = this.#ackers.get(acker);
    if (own === undefined) {
      own = new OptionalAcker(acker, this.#window, this.#refused);
      this.#ackers.set(acker, own);
    }
    own.take(seq, origin.byteLength);
    return new Delivery(value, origin, own, seq);
  }
}

/** Without `resumeTracker`: a ledger may not count on it. */
class OptionalAcker implements Acker {
  readonly flush$;
  readonly isMixed;
  readonly #window: InFlightWindow;
  readonly #refused: (cause: unknown) => void;
  readonly #sizes = new Map<number, number>();

  constructor(inner: Acker, window: InFlightWindow, refused: (cause: unknown) => void) {
    this.flush$ = inner.flush$;
    this.isMixed = inner.isMixed === true;
    this.#window = window;
    this.#refused = refused;
  }

  take(seq: number, bytes: number): void {
    if (this.#sizes.has(seq)) return;
    this.#sizes.set(seq, bytes);
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
    for (let seq = first; seq < next; seq += 1) {
      const size = this.#sizes.get(seq);
      if (size === undefined) continue;
      this.#sizes.delete(seq);
      this.#window.free(1, size);
    }
  }

  hold(): void {}
}
