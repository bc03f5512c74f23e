import { SeqSet } from '../offsets/seq-set.js';
import { Delivery } from './delivery.js';
import { derivedOrigin } from './derived-origin.js';
import { ForwardingAcker } from './forwarding-acker.js';

/**
 * Splits one delivery into as many as there are values: it is acked when all parts are, nacked when the first is, and
 * released, or held, when all parts are. Each part's origin says which `part` it is. With no values it is acked at once.
 *
 * ```ts
 * import { splitDelivery } from 'rxflume';
 * import { RecordingAcker } from 'rxflume/testing';
 *
 * const acker = new RecordingAcker();
 * const [one, two] = splitDelivery(acker.deliver('ab'), ['a', 'b']);
 * one?.ack();
 * acker.acks; // → []
 * two?.ack();
 * acker.acks; // → ['ab']
 * ```
 *
 * Bounds: three bits a part beside the parts themselves.
 */
export function splitDelivery<U>(delivery: Delivery<unknown>, values: readonly U[]): Delivery<U>[] {
  if (values.length === 0) {
    delivery.ack();
    return [];
  }
  const acker = new PartsAcker(delivery, values.length);
  const { origin } = delivery;
  const within = origin.part === undefined ? '' : `${origin.part}.`;
  return values.map(
    (value, seq) => new Delivery(value, derivedOrigin(origin, { part: `${within}${seq}` }), acker, seq),
  );
}

class PartsAcker extends ForwardingAcker {
  readonly #whole: Delivery<unknown>;
  readonly #count: number;
  readonly #acked = new SeqSet();
  readonly #released = new SeqSet();
  readonly #held = new SeqSet();
  #isNacked = false;

  constructor(whole: Delivery<unknown>, count: number) {
    super(whole.acker);
    this.#whole = whole;
    this.#count = count;
  }

  override ack(first: number, next: number): void {
    if (this.#isNacked) return;
    for (let seq = first; seq < next; seq += 1) this.#acked.add(seq);
    if (this.#acked.size === this.#count) {
      this.#whole.ack();
      return;
    }
    this.release(first, next);
    // A part that was dropped has nothing to be stored: the whole is held when the others are.
    this.hold(first, next);
  }

  override nack(first: number, next: number, cause: unknown): void {
    for (let seq = first; seq < next; seq += 1) {
      if (this.#acked.has(seq)) continue;
      this.#isNacked = true;
      this.#whole.nack(cause);
      return;
    }
  }

  override release(first: number, next: number): void {
    for (let seq = first; seq < next; seq += 1) this.#released.add(seq);
    if (this.#released.size === this.#count) this.#whole.release();
  }

  override hold(first: number, next: number): void {
    if (this.resumeTracker === undefined) return;
    for (let seq = first; seq < next; seq += 1) this.#held.add(seq);
    if (this.#held.size === this.#count) super.hold(this.#whole.seq, this.#whole.seq + 1);
  }
}
