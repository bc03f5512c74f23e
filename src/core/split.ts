import { Delivery } from './delivery.js';
import { derivedOrigin } from './derived-origin.js';
import type { Duty } from './duty.js';
import { PlaceSet } from './place-set.js';

/**
 * Splits one delivery into as many as there are values: it is acked when all parts are, nacked when the first is, and
 * released, or held, when all parts are. Each part's origin says which `part` it is. With no values it is acked at once.
 *
 * Bounds: three bits a part beside the parts themselves.
 */
export function splitDelivery<U>(delivery: Delivery<unknown>, values: readonly U[]): Delivery<U>[] {
  if (values.length === 0) {
    delivery.ack();
    return [];
  }
  const duty = new PartsDuty(delivery, values.length);
  const { origin } = delivery;
  const within = origin.part === undefined ? '' : `${origin.part}.`;
  return values.map(
    (value, place) => new Delivery(value, derivedOrigin(origin, { part: `${within}${place}` }), duty, place),
  );
}

class PartsDuty implements Duty {
  readonly wanted;
  readonly replay;
  readonly isMixed;
  readonly #whole: Delivery<unknown>;
  readonly #count: number;
  readonly #acked = new PlaceSet();
  readonly #released = new PlaceSet();
  readonly #held = new PlaceSet();
  #isNacked = false;

  constructor(whole: Delivery<unknown>, count: number) {
    this.#whole = whole;
    this.#count = count;
    this.wanted = whole.duty.wanted;
    this.replay = whole.duty.replay;
    this.isMixed = whole.duty.isMixed === true;
  }

  ack(first: number, next: number): void {
    if (this.#isNacked) return;
    for (let place = first; place < next; place += 1) this.#acked.add(place);
    if (this.#acked.size === this.#count) {
      this.#whole.ack();
      return;
    }
    this.release(first, next);
    // A part that was dropped has nothing to be stored: the whole is held when the others are.
    this.hold(first, next);
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

  hold(first: number, next: number): void {
    if (this.replay === undefined) return;
    for (let place = first; place < next; place += 1) this.#held.add(place);
    if (this.#held.size === this.#count) this.#whole.duty.hold(this.#whole.place, this.#whole.place + 1);
  }
}
