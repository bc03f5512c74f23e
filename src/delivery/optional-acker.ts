import { InFlightWindow, type WindowLimits } from '../backpressure/in-flight-window.js';
import type { Acker } from './acker.js';
import type { Delivery } from './delivery.js';
import { ForwardingAcker, oncePerAcker } from './forwarding-acker.js';

/**
 * Deliveries for one who need not settle them: what is done with them touches nothing but a window of their own.
 *
 * Bounds: the size of each that is not released, within the window.
 */
export class OptionalAckers {
  readonly #window: InFlightWindow;
  readonly #ackerOf;

  /** `refused` is called with each rejection. */
  constructor(limits: WindowLimits, refused: (cause: unknown) => void) {
    this.#window = new InFlightWindow(limits);
    this.#ackerOf = oncePerAcker(({ acker }) => new OptionalAcker(acker, this.#window, refused));
  }

  get isFull(): boolean {
    return this.#window.isFull;
  }

  /** The same value with an acker that binds nobody. */
  spare<T>(delivery: Delivery<T>): Delivery<T> {
    const acker = this.#ackerOf(delivery);
    acker.take(delivery.seq, delivery.origin.byteLength);
    return acker.adopt(delivery);
  }
}

/** Without `resumeTracker`: a ledger may not count on it. */
class OptionalAcker extends ForwardingAcker {
  readonly #window: InFlightWindow;
  readonly #refused: (cause: unknown) => void;
  readonly #sizes = new Map<number, number>();

  constructor(inner: Acker, window: InFlightWindow, refused: (cause: unknown) => void) {
    super(inner, 'hidden');
    this.#window = window;
    this.#refused = refused;
  }

  take(seq: number, bytes: number): void {
    if (this.#sizes.has(seq)) return;
    this.#sizes.set(seq, bytes);
    this.#window.take(bytes);
  }

  override ack(first: number, next: number): void {
    this.release(first, next);
  }

  override nack(first: number, next: number, cause: unknown): void {
    this.release(first, next);
    this.#refused(cause);
  }

  override release(first: number, next: number): void {
    for (let seq = first; seq < next; seq += 1) {
      const size = this.#sizes.get(seq);
      if (size === undefined) continue;
      this.#sizes.delete(seq);
      this.#window.free(1, size);
    }
  }

  override hold(): void {}
}
