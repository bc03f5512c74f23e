import { asyncScheduler, Observable, type Subscription, timer } from 'rxjs';
import { countNacks, stepCounts } from '../src/core/flow-scope.js';
import { expectFunction, expectMs, expectOption, expectWhole, withDefaults } from '../src/core/options.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { type DeliveryOperator, deliveryOperator } from '../src/delivery/delivery-operator.js';
import { FlushListeners } from '../src/delivery/flush-listeners.js';
import { joinDeliveries } from '../src/delivery/join.js';
import { NACKED, resultFor, stoppedError } from '../src/delivery/nack-errors.js';
import { isOfRecord } from '../src/delivery/origin-position.js';
import { subscribeOrdered } from '../src/lifecycle/subscribe-ordered.js';

export interface BatchOptions<T = unknown> {
  /** The number of values that fills a batch. */
  readonly count: number;
  /** The number of bytes, as received (`origin.byteLength`), that fills a batch. Default: no limit. */
  readonly bytes?: number;
  /** The total weight, as returned by `weigh`, that fills a batch. Default: no limit. */
  readonly weight?: number;
  /** The weight of a value: a number >= 0. */
  readonly weigh?: (value: T, delivery: Delivery<T>) => number;
  /** The longest the first value of a batch waits, in milliseconds. Default 1,000. */
  readonly maxWaitMs?: number;
}

const NO_LIMIT = Number.MAX_SAFE_INTEGER;
/** The defaults of `batch`. */
export const BATCH_DEFAULTS = { bytes: NO_LIMIT, weight: NO_LIMIT, maxWaitMs: 1_000 } as const;

/**
 * Joins deliveries into one delivery of an array: settling or releasing it settles or releases all of them.
 *
 * ```
 * values  -a-b-c-------d-|
 *         batch({ count: 2, maxWaitMs: 5 })
 * result  ---x------y----(z|)     x = [a b], y = [c], z = [d]
 * acks    ----(ab)---c----d
 * ```
 *
 * Settles: nacks the deliveries it holds when it is unsubscribed or fails, those of an epoch that ends, and a delivery for
 * which `weigh` throws.
 * Bounds: at most `count` deliveries, for at most `maxWaitMs`; it emits at once when their source asks for release or
 * settling.
 */
export function batch<T>(options: BatchOptions<T>): DeliveryOperator<T, T[]> {
  const checked = withDefaults('batch options', BATCH_DEFAULTS, options, ['count', 'weigh']);
  const { count, bytes, weight, weigh = () => 0, maxWaitMs } = checked;
  expectWhole('count', count, 1);
  expectWhole('bytes', bytes, 1);
  expectWhole('weight', weight, 1);
  expectFunction('weigh', weigh);
  expectOption(
    'weight',
    options.weight,
    (options.weight === undefined) === (options.weigh === undefined),
    'given with `weigh`',
  );
  expectMs('maxWaitMs', maxWaitMs, 1);

  return deliveryOperator(
    'batch',
    {
      because:
        '`batch` joins values of several partitions, and a sink with a ledger rejects a value of more than one; remove it, since ' +
        'the sink batches by itself',
    },
    (source) =>
      new Observable((subscriber) => {
        let held = new Held<T>();
        const nacked = countNacks();
        const counts = stepCounts();
        counts.held = () => held.size;
        counts.holds = (stream, offset) => held.deliveries.some(({ origin }) => isOfRecord(origin, stream, offset));
        let hasFailed = false;
        let waiting: Subscription | undefined;

        const emit = () => {
          waiting?.unsubscribe();
          waiting = undefined;
          if (held.size === 0 || subscriber.closed || hasFailed) return;
          const joined = joinDeliveries(held.deliveries);
          held = new Held();
          subscriber.next(joined);
        };
        const flushListeners = new FlushListeners({
          asked: emit,
          // A redelivered value must not be joined with one from an earlier epoch: the batch would belong to no stream.
          over: (isOver) => nack(held.takeOut(({ acker }) => isOver(acker.flush$))),
        });
        const nack = (deliveries: readonly Delivery<T>[]) => {
          for (const delivery of deliveries)
            delivery.nack(stoppedError('the batch was full', 'its values are redelivered'));
        };
        const hold = (delivery: Delivery<T>) => {
          const weight = resultFor('weigh of batch', delivery, (value) => weighed(weigh(value, delivery)), nacked);
          if (weight === NACKED) return;
          if (flushListeners.listen(delivery)) held.add(delivery, weight);
          else nack([delivery]);
        };

        const takeFrom = subscribeOrdered(subscriber, () => {
          waiting?.unsubscribe();
          flushListeners.end();
          nack(held.deliveries);
        });
        takeFrom(source, {
          next: (delivery) => {
            hold(delivery);
            if (held.size >= count || held.bytes >= bytes || held.weight >= weight) emit();
            else if (held.size > 0) waiting ??= timer(maxWaitMs, asyncScheduler).subscribe(emit);
          },
          error: (error: unknown) => {
            // The subscriber takes no more, even if the source asks again because of a nack downstream.
            hasFailed = true;
            subscriber.error(error);
          },
          complete: () => {
            emit();
            subscriber.complete();
          },
        });
      }),
  );
}

/** The deliveries of a batch that is not full. */
class Held<T> {
  deliveries: Delivery<T>[] = [];
  bytes = 0;
  weight = 0;
  #weights: number[] = [];

  get size(): number {
    return this.deliveries.length;
  }

  add(delivery: Delivery<T>, weight: number): void {
    this.deliveries.push(delivery);
    this.#weights.push(weight);
    this.bytes += delivery.origin.byteLength;
    this.weight += weight;
  }

  /** Takes out those for which it holds. */
  takeOut(isOut: (delivery: Delivery<T>) => boolean): Delivery<T>[] {
    const [before, weights] = [this.deliveries, this.#weights];
    const out: Delivery<T>[] = [];
    this.deliveries = [];
    this.#weights = [];
    this.bytes = 0;
    this.weight = 0;
    for (const [at, delivery] of before.entries()) {
      if (isOut(delivery)) out.push(delivery);
      else this.add(delivery, weights[at] as number);
    }
    return out;
  }
}

function weighed(weight: number): number {
  expectOption('weigh(value)', weight, typeof weight === 'number' && weight >= 0, 'a number >= 0');
  return weight;
}
