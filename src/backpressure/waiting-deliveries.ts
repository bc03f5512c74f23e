import { Queue } from '../core/queue.js';
import type { Delivery } from '../delivery/delivery.js';
import { FlushListeners } from '../delivery/flush-listeners.js';
import { isOfRecord } from '../delivery/origin-position.js';

/**
 * A FIFO queue of deliveries. Those of an ended epoch are nacked and removed.
 *
 * Settles: nacks with the error from `nackError`: deliveries of an ended epoch, even if it ended before they arrived, and all
 * on `end`.
 * Bounds: waiting deliveries are unreleased, so the source's window bounds them.
 */
export class WaitingDeliveries<T> {
  readonly #queue = new Queue<Delivery<T>>();
  readonly #nackCause: () => unknown;
  readonly #dropped: () => void;
  readonly #flushListeners: FlushListeners;

  /** `dropped` is called when some were nacked because their epoch ended. */
  constructor(nackCause: () => unknown, dropped: () => void) {
    this.#nackCause = nackCause;
    this.#dropped = dropped;
    this.#flushListeners = new FlushListeners({
      asked: () => undefined,
      over: (isOver) => this.#drop(this.#queue.takeOut(({ acker }) => isOver(acker.flush$))),
    });
  }

  get size(): number {
    return this.#queue.size;
  }

  /** Whether the record at the offset of the stream waits. */
  has(stream: string, offset: number): boolean {
    return this.#queue.some(({ origin }) => isOfRecord(origin, stream, offset));
  }

  add(delivery: Delivery<T>): void {
    if (this.#flushListeners.listen(delivery)) this.#queue.add(delivery);
    else delivery.nack(this.#nackCause());
  }

  take(): Delivery<T> | undefined {
    return this.#queue.take();
  }

  /** Nacks all waiting deliveries, and stops listening. */
  end(): void {
    this.#flushListeners.end();
    for (const delivery of this.#queue.takeAll()) delivery.nack(this.#nackCause());
  }

  #drop(stale: readonly Delivery<T>[]): void {
    if (stale.length === 0) return;
    for (const delivery of stale) delivery.nack(this.#nackCause());
    this.#dropped();
  }
}
