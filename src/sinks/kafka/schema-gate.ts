import type { MonoTypeOperatorFunction } from 'rxjs';
import { eachInOrder } from '../../backpressure/each-in-order.js';
import { describeError, RxflumeError } from '../../core/errors.js';
import type { Pending } from '../../core/pending.js';
import { sentence } from '../../core/sentence.js';
import type { Delivery } from '../../delivery/delivery.js';
import { NACKED, nackErrorOfThrown } from '../../delivery/nack-errors.js';
import type { SchemaEncoder } from '../../formats/schema-format.js';
import type { CheckedOptions } from './options.js';

/**
 * Lets each delivery pass once the schema of its topic has an id, so that the sink encodes it without waiting.
 *
 * Settles: nacks the value whose wait has failed with the registry's error; see `eachInOrder` for those that wait.
 */
export function schemaGate<T>(
  encoder: SchemaEncoder<T>,
  { topic, monitor }: CheckedOptions<T>,
  to: string,
): MonoTypeOperatorFunction<Delivery<T>> {
  const failures = monitor.metric('rxflume_sink_failures_total', { sink: 'kafka', to });
  const pendingFor = (delivery: Delivery<T>): Pending | undefined => {
    let name: string;
    try {
      name = typeof topic === 'string' ? topic : topic(delivery.value, delivery);
    } catch {
      // It throws again where the record is made, which says so.
      return undefined;
    }
    return encoder.pending(name);
  };
  const failed = (delivery: Delivery<T>, cause: unknown): typeof NACKED => {
    failures.add(1);
    const what = cause instanceof RxflumeError ? cause.code : 'RXF_SINK_WRITE';
    monitor.report({ what, message: sentence(describeError(cause)), cause });
    delivery.nack(cause);
    return NACKED;
  };
  return eachInOrder<T, T>(
    {
      each: (delivery) => {
        try {
          return pendingFor(delivery) ?? delivery;
        } catch (cause) {
          return failed(delivery, nackErrorOfThrown('`subject` of the encoder', cause, delivery, 'RXF_SINK_FORMAT'));
        }
      },
      failed,
    },
    // The sink counts for itself.
    () => ({}),
  );
}
