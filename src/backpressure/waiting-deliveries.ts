import { Queue } from '../core/queue.js';
import type { Delivery } from '../delivery/delivery.js';
import { FlushListeners } from '../delivery/flush-listeners.js';

/**
 * Deliveries that wait, first in, first out. Those of an epoch that is over are refused and wait no more.
 *
 * Settles: with what `refusal` answers, those of an ended epoch, also where it has ended before they came, and all on `end`.
 * Bounds: what waits is unreleased, so the source's window bounds it.
 */
export class WaitingDeliveries<T> {
  readonly #queue = new Queue<Delivery<T>>();
  readonly #refusal: () => unknown;
  readonly #dropped: () => void;
  readonly #flushListeners: FlushListeners;

  /** `dropped` is called when some were refused because their epoch is over. */
  constructor(refusal: () => unknown, dropped: () => void) {
    this.#refusal = refusal;
    this.#dropped = dropped;
    this.#flushListeners = new FlushListeners({
      asked: () => undefined,
      over: (isOver) => this.#drop(this.#queue.takeOut(({ acker }) => isOver(acker.flush$))),
    });
  }

  get size(): number {
    return this.#queue.size;
  }

  add(delivery: Delivery<T>): void {
    if (this.#flushListeners.listen(delivery)) this.#queue.add(delivery);
    else delivery.nack(this.#refusal());
  }

  take(): Delivery<T> | undefined {
    return this.#queue.take();
  }

  /** Refuses all that waits, and listens no more. */
  end(): void {
    this.#flushListeners.end();
    for (const delivery of this.#queue.takeAll()) delivery.nack(this.#refusal());
  }

  #drop(stale: readonly Delivery<T>[]): void {
    if (stale.length === 0) return;
    for (const delivery of stale) delivery.nack(this.#refusal());
    this.#dropped();
  }
}
