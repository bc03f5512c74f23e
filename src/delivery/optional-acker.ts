import { InFlightWindow, type WindowLimits } from '../backpressure/in-flight-window.js';
import { WindowAcker } from '../backpressure/window-acker.js';
import type { Acker } from './acker.js';
import type { Delivery } from './delivery.js';
import { oncePerAcker } from './forwarding-acker.js';

/**
 * Deliveries for one who need not settle them: what is done with them touches nothing but a window of their own.
 *
 * Bounds: the size of each that is not released, within the window.
 */
export class OptionalAckers {
  readonly #window: InFlightWindow;
  readonly #ackerOf;

  /** `nacked` is called with the cause of each nack. */
  constructor(limits: WindowLimits, nacked: (cause: unknown) => void) {
    this.#window = new InFlightWindow(limits);
    this.#ackerOf = oncePerAcker(({ acker }) => new OptionalAcker(acker, this.#window, nacked));
  }

  get isFull(): boolean {
    return this.#window.isFull;
  }

  /** The same value with an acker that binds nobody. */
  spare<T>(delivery: Delivery<T>): Delivery<T> {
    return this.#ackerOf(delivery).take(delivery);
  }
}

/** Without `resumeTracker`: a ledger may not count on it. */
class OptionalAcker extends WindowAcker {
  readonly #nacked: (cause: unknown) => void;

  constructor(inner: Acker, window: InFlightWindow, nacked: (cause: unknown) => void) {
    super(inner, window, () => undefined, 'hidden');
    this.#nacked = nacked;
  }

  override ack(first: number, next: number): void {
    this.free(first, next);
  }

  override nack(first: number, next: number, cause: unknown): void {
    this.free(first, next);
    this.#nacked(cause);
  }

  override release(first: number, next: number): void {
    this.free(first, next);
  }

  override hold(): void {}
}
