import { Observable, type OperatorFunction } from 'rxjs';
import type { Delivery } from '../src/core/delivery.js';
import { expectFunction } from '../src/core/options.js';

/**
 * Changes each delivery's value; the duty goes with the new one.
 *
 * ```
 * values  -a-b-c-|
 *         mapValue(x => x.toUpperCase())
 * result  -A-B-C-|
 * acks    --A-B-C-      whoever acks the result acks the delivery
 * ```
 *
 * Settles: nacks a delivery for which `project` throws, with what it threw; the stream lives.
 */
export function mapValue<T, U>(
  project: (value: T, delivery: Delivery<T>) => U,
): OperatorFunction<Delivery<T>, Delivery<U>> {
  expectFunction('project', project);
  return (source) =>
    new Observable((subscriber) =>
      source.subscribe({
        next: (delivery) => {
          let value: U;
          try {
            value = project(delivery.value, delivery);
          } catch (cause) {
            delivery.nack(cause);
            return;
          }
          subscriber.next(delivery.with(value));
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    );
}
