import type { Acker } from '../delivery/acker.js';
import type { Delivery } from '../delivery/delivery.js';
import { ForwardingAcker } from '../delivery/forwarding-acker.js';
import type { InFlightWindow } from './in-flight-window.js';

/**
 * Forwards everything to the delivery's own acker, and frees the window at the first release or settling of a sequence number.
 */
export class WindowAcker extends ForwardingAcker {
  readonly #window: InFlightWindow;
  readonly #freed: () => void;
  readonly #sizes = new Map<number, number>();

  /** `freed` is called when there is more room. */
  constructor(inner: Acker, window: InFlightWindow, freed: () => void, resumeTracker: 'shown' | 'hidden' = 'shown') {
    super(inner, resumeTracker);
    this.#window = window;
    this.#freed = freed;
  }

  /** The delivery, counted as out of the window from here on, and settled through this acker. */
  take<T>(delivery: Delivery<T>): Delivery<T> {
    const { seq, origin } = delivery;
    if (!this.#sizes.has(seq)) {
      this.#sizes.set(seq, origin.byteLength);
      this.#window.take(origin.byteLength);
    }
    return this.adopt(delivery);
  }

  override ack(first: number, next: number): void {
    super.ack(first, next);
    this.free(first, next);
  }

  override nack(first: number, next: number, cause: unknown): void {
    super.nack(first, next, cause);
    this.free(first, next);
  }

  override release(first: number, next: number): void {
    super.release(first, next);
    this.free(first, next);
  }

  protected free(first: number, next: number): void {
    let count = 0;
    let bytes = 0;
    for (let seq = first; seq < next; seq += 1) {
      const size = this.#sizes.get(seq);
      if (size === undefined) continue;
      this.#sizes.delete(seq);
      count += 1;
      bytes += size;
    }
    if (count === 0) return;
    this.#window.free(count, bytes);
    this.#freed();
  }
}
