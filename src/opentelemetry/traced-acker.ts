import { timeOfDayMs } from '../core/clock.js';
import { shortName } from '../core/errors.js';
import type { Acker } from '../delivery/acker.js';
import type { Delivery } from '../delivery/delivery.js';
import { ForwardingAcker } from '../delivery/forwarding-acker.js';
import type { SettleSpans, Traced } from './settle-spans.js';
import { spanContextOf } from './trace-context.js';

/**
 * An acker in front of another that says what is settled to the spans of its stream.
 *
 * Settles: nothing itself; each verb goes on to the acker behind.
 * Bounds: a span context for each unsettled delivery that was sampled, as far as its stream has room.
 */
export class TracedAcker extends ForwardingAcker {
  readonly #spans: SettleSpans;
  #traced: Map<number, Traced> | undefined;

  constructor(inner: Acker, spans: SettleSpans) {
    super(inner);
    this.#spans = spans;
  }

  /** The same delivery, traced where it was sampled. */
  take<T>(delivery: Delivery<T>): Delivery<T> {
    const context = this.#spans.hasRoom ? spanContextOf(delivery.origin) : undefined;
    if (context !== undefined && this.#traced?.has(delivery.seq) !== true) {
      this.#spans.kept();
      this.#traced ??= new Map();
      this.#traced.set(delivery.seq, { context, at: timeOfDayMs() });
    }
    return this.adopt(delivery);
  }

  override ack(first: number, next: number): void {
    super.ack(first, next);
    this.#spans.settled('ack', next - first, this.#takeTraced(first, next));
  }

  override nack(first: number, next: number, cause: unknown): void {
    // Before, since it may end the epoch: what follows is stale, and this is not.
    this.#spans.settled('nack', next - first, this.#takeTraced(first, next), shortName(cause));
    super.nack(first, next, cause);
  }

  /** A run may be of a million sequence numbers, and few of them traced: whichever is less is looked through. */
  #takeTraced(first: number, next: number): Traced[] {
    const all = this.#traced;
    if (all === undefined || all.size === 0) return [];
    const seqs =
      next - first > all.size
        ? [...all.keys()].filter((seq) => seq >= first && seq < next)
        : Array.from({ length: next - first }, (_, at) => first + at);
    return seqs.flatMap((seq) => {
      const traced = all.get(seq);
      all.delete(seq);
      return traced === undefined ? [] : [traced];
    });
  }
}
