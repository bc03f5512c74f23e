import { expectFunction } from '../src/core/options.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { type DeliveryOperator, deliveryOperator } from '../src/delivery/delivery-operator.js';
import { eachDelivery } from '../src/delivery/each-delivery.js';
import { NACKED, resultFor } from '../src/delivery/nack-errors.js';

/**
 * Maps each delivery's value; the acker stays with the delivery.
 *
 * ```
 * values  -a-b-c-|
 *         mapValue(x => x.toUpperCase())
 * result  -A-B-C-|
 * acks    --a-b-c-      acking the result acks the delivery
 * ```
 *
 * Settles: nacks a delivery for which `project` throws, with `RXF_OPERATOR_FAILED`; the stream continues.
 * Bounds: nothing is held.
 */
export function mapValue<T, U>(project: (value: T, delivery: Delivery<T>) => U): DeliveryOperator<T, U> {
  expectFunction('project', project);
  return deliveryOperator(
    'mapValue',
    'kept',
    eachDelivery((delivery: Delivery<T>) => {
      const value = resultFor('project of mapValue', delivery, project);
      return value === NACKED ? NACKED : delivery.with(value);
    }),
  );
}
