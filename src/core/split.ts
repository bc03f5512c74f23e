import { Delivery } from './delivery.js';
import type { Duty } from './duty.js';
import { PlaceSet } from './place-set.js';

/**
 * Splits one delivery into as many as there are values: it is acked when all parts are, nacked when the first is, and
 * released when all parts are. With no values it is acked at once.
 *
 * Bounds: two bits a part beside the parts themselves.
 */
export function splitDelivery<U>(delivery: Delivery<unknown>, values: readonly U[]): Delivery<U>[] {
  if (values.length === 0) {
    delivery.ack();
    return [];
  }
  const duty = new PartsDuty(delivery, values.length);
  return values.map((value, place) => new Delivery(value, delivery.origin, duty, place));
}

class PartsDuty implements Duty {
  readonly wanted;
  readonly #whole: Delivery<unknown>;
  readonly #count: number;
  readonly #acked = new PlaceSet();
  readonly #released = new PlaceSet();
  #isNacked = false;

  constructor(whole: Delivery<unknown>, count: number) {
    this.#whole = whole;
    this.#count = count;
    this.wanted = whole.duty.wanted;
  }

  ack(first: number, next: number): void {
    if (this.#isNacked) return;
    for (let place = first; place < next; place += 1) this.#acked.add(place);
    if (this.#acked.size === this.#count) this.#whole.ack();
    else this.release(first, next);
  }

  nack(first: number, next: number, cause: unknown): void {
    for (let place = first; place < next; place += 1) {
      if (this.#acked.has(place)) continue;
      this.#isNacked = true;
      this.#whole.nack(cause);
      return;
    }
  }

  release(first: number, next: number): void {
    for (let place = first; place < next; place += 1) this.#released.add(place);
    if (this.#released.size === this.#count) this.#whole.release();
  }
}
