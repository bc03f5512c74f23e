import { asyncScheduler, Observable, type OperatorFunction, Subscription, timer } from 'rxjs';
import type { Delivery } from '../src/core/delivery.js';
import type { Want } from '../src/core/duty.js';
import { SinkError } from '../src/core/errors.js';
import { joinDeliveries } from '../src/core/join.js';
import { expectKnown, expectMs, expectWhole } from '../src/core/options.js';

export interface BatchOptions {
  /** A batch is full with so many values. */
  readonly count: number;
  /** A batch is full with so many bytes, as received (`origin.byteLength`). Default: no limit. */
  readonly bytes?: number;
  /** The longest the first value of a batch waits, in milliseconds. Default 1,000. */
  readonly maxWaitMs?: number;
}

/**
 * Joins deliveries into one of an array: settling or releasing it does so to all.
 *
 * ```
 * values  -a-b-c-------d-|
 *         batch({ count: 2, maxWaitMs: 5 })
 * result  ---x------y----(z|)     x = [a b], y = [c], z = [d]
 * acks    ----(ab)---c----d
 * ```
 *
 * Settles: nacks what it holds when it is unsubscribed or fails.
 * Bounds: at most `count` deliveries, for at most `maxWaitMs`; it emits at once when their source asks for release or
 * settling.
 */
export function batch<T>(options: BatchOptions): OperatorFunction<Delivery<T>, Delivery<T[]>> {
  expectKnown('batch options', options, ['count', 'bytes', 'maxWaitMs']);
  const { count, bytes = Number.MAX_SAFE_INTEGER, maxWaitMs = 1_000 } = options;
  expectWhole('count', count, 1);
  expectWhole('bytes', bytes, 1);
  expectMs('maxWaitMs', maxWaitMs, 1);

  return (source) =>
    new Observable((subscriber) => {
      let held: Delivery<T>[] = [];
      let heldBytes = 0;
      let hasFailed = false;
      let waiting: Subscription | undefined;
      const asked = new Map<Observable<Want>, Subscription>();

      const emit = () => {
        waiting?.unsubscribe();
        waiting = undefined;
        if (held.length === 0 || subscriber.closed || hasFailed) return;
        const joined = joinDeliveries(held);
        held = [];
        heldBytes = 0;
        subscriber.next(joined);
      };
      const listen = (wanted: Observable<Want>) => {
        const asking = new Subscription();
        asked.set(wanted, asking);
        asking.add(wanted.subscribe({ next: emit, complete: () => asked.delete(wanted) }));
      };

      const taking = source.subscribe({
        next: (delivery) => {
          held.push(delivery);
          heldBytes += delivery.origin.byteLength;
          if (!asked.has(delivery.duty.wanted)) listen(delivery.duty.wanted);
          if (held.length >= count || heldBytes >= bytes) emit();
          else waiting ??= timer(maxWaitMs, asyncScheduler).subscribe(emit);
        },
        error: (error: unknown) => {
          // Nobody takes any more, also when the source asks once again because of what is nacked downstream.
          hasFailed = true;
          subscriber.error(error);
        },
        complete: () => {
          emit();
          subscriber.complete();
        },
      });
      return () => {
        taking.unsubscribe();
        waiting?.unsubscribe();
        for (const asking of asked.values()) asking.unsubscribe();
        const cause = new SinkError(
          'RXF_SINK_STOPPED',
          'The flow stopped before the batch was full; its values come again.',
        );
        for (const delivery of held) delivery.nack(cause);
      };
    });
}
