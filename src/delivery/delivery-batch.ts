import type { Observable } from 'rxjs';
import { AckGroup } from './ack-group.js';
import type { FlushSignal } from './acker.js';
import type { Delivery } from './delivery.js';

/**
 * Deliveries that are sent together, in order of arrival, each with the value that is sent for it.
 *
 * Settles: all of them at once, so that their source hears of it once.
 */
export class DeliveryBatch<V> {
  /** Where it goes, in the sink's own terms. */
  readonly to: string;
  readonly deliveries: Delivery<unknown>[] = [];
  readonly values: V[] = [];
  bytes = 0;
  readonly #sizes: number[] = [];

  constructor(to = '') {
    this.to = to;
  }

  get size(): number {
    return this.deliveries.length;
  }

  /** The stream of the first delivery. */
  get stream(): string {
    return this.#first.origin.stream;
  }

  /** The `flush$` of the first delivery: where all are of one epoch, it tells the epochs apart. */
  get flush$(): Observable<FlushSignal> {
    return this.#first.acker.flush$;
  }

  get firstOffset(): number {
    return this.#first.origin.offset;
  }

  get lastOffset(): number {
    const { offset, lastOffset = offset } = (this.deliveries.at(-1) as Delivery<unknown>).origin;
    return lastOffset;
  }

  add(delivery: Delivery<unknown>, value: V, bytes: number): void {
    this.deliveries.push(delivery);
    this.values.push(value);
    this.#sizes.push(bytes);
    this.bytes += bytes;
  }

  /** Removes those that satisfy the predicate; the others keep their order. */
  takeOut(isOut: (delivery: Delivery<unknown>) => boolean): Delivery<unknown>[] {
    const [deliveries, values, sizes] = [this.deliveries.splice(0), this.values.splice(0), this.#sizes.splice(0)];
    this.bytes = 0;
    return deliveries.filter((delivery, at) => {
      if (isOut(delivery)) return true;
      this.add(delivery, values[at] as V, sizes[at] as number);
      return false;
    });
  }

  /** Those from one index up to another, to be sent apart. */
  part(from: number, next: number): DeliveryBatch<V> {
    const part = new DeliveryBatch<V>(this.to);
    for (let at = from; at < next; at += 1) {
      part.add(this.deliveries[at] as Delivery<unknown>, this.values[at] as V, this.#sizes[at] as number);
    }
    return part;
  }

  /** Itself as two of about the same size. One value has no halves. */
  halves(): [DeliveryBatch<V>, DeliveryBatch<V>] {
    const middle = Math.ceil(this.size / 2);
    return [this.part(0, middle), this.part(middle, this.size)];
  }

  ack(): void {
    AckGroup.of(this.deliveries).ack();
  }

  nack(cause: unknown): void {
    AckGroup.of(this.deliveries).nack(cause);
  }

  get #first(): Delivery<unknown> {
    return this.deliveries[0] as Delivery<unknown>;
  }
}
