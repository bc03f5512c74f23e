import { Observable } from 'rxjs';
import { monotonicMs } from '../src/core/clock.js';
import { SinkError } from '../src/core/errors.js';
import { countNacks } from '../src/core/flow-scope.js';
import { expectFunction, expectKnown, expectMs, expectWhole } from '../src/core/options.js';
import { AckGroup } from '../src/delivery/ack-group.js';
import type { Acker } from '../src/delivery/acker.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { type DeliveryOperator, deliveryOperator } from '../src/delivery/delivery-operator.js';
import { FlushListeners } from '../src/delivery/flush-listeners.js';
import { ForwardingAcker, oncePerAcker } from '../src/delivery/forwarding-acker.js';
import { NACKED, resultFor } from '../src/delivery/nack-errors.js';
import { subscribeOrdered } from '../src/lifecycle/subscribe-ordered.js';

export interface DedupeByOptions {
  /** How long a key is remembered after its first value, in milliseconds. */
  readonly windowMs: number;
  /** The maximum number of keys remembered; beyond it the oldest is forgotten. Default 100,000. */
  readonly count?: number;
}

/**
 * Lets the first delivery of each key through, and drops later ones within a time window. A dropped duplicate is settled like
 * the first: acked when it is acked, nacked when it is nacked, so nothing is lost.
 *
 * ```
 * values  -a-b-a-a-|
 *         dedupeBy(x => x, { windowMs: 6 })     acked after 1
 * result  -a-b---a-|
 * acks    --a-ba--a-
 * ```
 *
 * Settles: acks a duplicate when its first is acked, at once if it already is; nacks it when the first is nacked or stale, and
 * then forgets the key. A delivery for which `key` throws is nacked; one with the key undefined or null is let through.
 * Bounds: `count` keys; duplicates are released at once, and a bit each remembers them. Keys are remembered in memory only:
 * after a restart the first value of each key passes again.
 */
export function dedupeBy<T>(
  key: (value: T, delivery: Delivery<T>) => unknown,
  options: DedupeByOptions,
): DeliveryOperator<T> {
  expectFunction('key', key);
  expectKnown('dedupeBy options', options, ['windowMs', 'count']);
  const { windowMs, count = 100_000 } = options;
  expectMs('windowMs', windowMs, 1);
  expectWhole('count', count, 1);

  return deliveryOperator(
    'dedupeBy',
    'kept',
    (source) =>
      new Observable((subscriber) => {
        const seen = new Map<unknown, First>();
        const nacked = countNacks();
        // Those with an unsettled first: after an operator that gives each delivery its own acker there are many.
        const open = new Set<FirstAcker>();
        const flushListeners = new FlushListeners({
          asked: () => undefined,
          over: (isOver) => {
            for (const own of open) if (isOver(own.flush$)) own.over();
          },
        });
        const forget = (first: First) => {
          if (seen.get(first.key) === first) seen.delete(first.key);
        };
        const ackerOf = oncePerAcker(({ acker }) => new FirstAcker(acker, forget, open));
        const forgetOld = () => {
          const now = monotonicMs();
          for (const first of seen.values()) {
            if (first.seenAt + windowMs > now && seen.size <= count) return;
            seen.delete(first.key);
          }
        };
        const asFirst = (delivery: Delivery<T>, of: unknown): Delivery<T> => {
          const acker = ackerOf(delivery);
          const first = new First(of, monotonicMs());
          seen.set(of, first);
          acker.take(delivery.seq, first);
          return acker.adopt(delivery);
        };

        subscriber.add(() => flushListeners.end());
        subscribeOrdered(subscriber)(source, {
          next: (delivery) => {
            const of = resultFor('key of dedupeBy', delivery, key, nacked);
            if (of === NACKED) return;
            if (of === undefined || of === null) {
              subscriber.next(delivery);
              return;
            }
            if (!flushListeners.listen(delivery)) {
              delivery.nack(staleError());
              return;
            }
            forgetOld();
            const first = seen.get(of);
            if (first !== undefined) first.join(delivery);
            else {
              const handedOn = asFirst(delivery, of);
              forgetOld();
              subscriber.next(handedOn);
            }
          },
        });
      }),
  );
}

/** The first delivery of a key, and the duplicates that are settled like it. */
class First {
  readonly key: unknown;
  readonly seenAt: number;
  readonly #duplicates = new AckGroup();
  #isAcked = false;
  #isHeld = false;

  constructor(key: unknown, seenAt: number) {
    this.key = key;
    this.seenAt = seenAt;
  }

  join(duplicate: Delivery<unknown>): void {
    if (this.#isAcked) {
      duplicate.ack();
      return;
    }
    this.#duplicates.add(duplicate);
    duplicate.release();
    if (this.#isHeld) duplicate.acker.hold(duplicate.seq, duplicate.seq + 1);
  }

  ack(): void {
    this.#isAcked = true;
    this.#duplicates.ack();
  }

  nack(cause: unknown): void {
    this.#duplicates.nack(cause);
  }

  /** The duplicates are in those files too, as the first is: a commit need not wait for them. */
  hold(): void {
    this.#isHeld = true;
    this.#duplicates.hold();
  }
}

class FirstAcker extends ForwardingAcker {
  readonly #forget: (first: First) => void;
  readonly #open: Set<FirstAcker>;
  /** The firsts that are not settled. */
  readonly #firsts = new Map<number, First>();

  /** `open`: the set that contains it while it has unsettled firsts. */
  constructor(inner: Acker, forget: (first: First) => void, open: Set<FirstAcker>) {
    super(inner);
    this.#forget = forget;
    this.#open = open;
  }

  take(seq: number, first: First): void {
    this.#firsts.set(seq, first);
    this.#open.add(this);
  }

  override ack(first: number, next: number): void {
    const firsts = this.#settled(first, next);
    super.ack(first, next);
    for (const one of firsts) one.ack();
  }

  override nack(first: number, next: number, cause: unknown): void {
    const firsts = this.#settled(first, next);
    // Before the source is notified: a value redelivered because of it is not a duplicate.
    for (const one of firsts) this.#forget(one);
    super.nack(first, next, cause);
    for (const one of firsts) one.nack(cause);
  }

  override hold(first: number, next: number): void {
    super.hold(first, next);
    for (const [, one] of this.#within(first, next)) one.hold();
  }

  /** The epoch has ended: unsettled firsts are stale and are redelivered, and so are their duplicates. */
  over(): void {
    const firsts = [...this.#firsts.values()];
    this.#firsts.clear();
    this.#open.delete(this);
    for (const one of firsts) this.#forget(one);
    for (const one of firsts) one.nack(staleError());
  }

  #settled(first: number, next: number): First[] {
    const found = this.#within(first, next);
    for (const [seq] of found) this.#firsts.delete(seq);
    if (this.#firsts.size === 0) this.#open.delete(this);
    return found.map(([, one]) => one);
  }

  #within(first: number, next: number): [number, First][] {
    if (next - first > this.#firsts.size) {
      return [...this.#firsts].filter(([seq]) => seq >= first && seq < next);
    }
    const found: [number, First][] = [];
    for (let seq = first; seq < next; seq += 1) {
      const one = this.#firsts.get(seq);
      if (one !== undefined) found.push([seq, one]);
    }
    return found;
  }
}

function staleError(): SinkError {
  return new SinkError(
    'RXF_SINK_STOPPED',
    'The stream of the first value of its key is read again; both are redelivered.',
  );
}
