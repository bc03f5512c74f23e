import { expectFunction } from '../src/core/options.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { type DeliveryOperator, deliveryOperator } from '../src/delivery/delivery-operator.js';
import { eachDelivery } from '../src/delivery/each-delivery.js';
import { NACKED, resultFor } from '../src/delivery/nack-errors.js';

/**
 * Passes deliveries whose value satisfies the predicate, and acks the others.
 *
 * ```
 * values  -a-b-c-|
 *         filterValue(x => x !== 'b')
 * result  -a---c-|
 * acks    ---b-----     a and c are acked downstream
 * ```
 *
 * Settles: acks what it drops; nacks a delivery for which the predicate throws, with `RXF_OPERATOR_FAILED`.
 * Bounds: nothing is held.
 */
export function filterValue<T, S extends T>(
  predicate: (value: T, delivery: Delivery<T>) => value is S,
): DeliveryOperator<T, S>;
export function filterValue<T>(predicate: (value: T, delivery: Delivery<T>) => boolean): DeliveryOperator<T>;
export function filterValue<T>(predicate: (value: T, delivery: Delivery<T>) => boolean): DeliveryOperator<T> {
  expectFunction('predicate', predicate);
  const kept = eachDelivery((delivery: Delivery<T>) => {
    const isKept = resultFor('predicate of filterValue', delivery, predicate);
    if (isKept === NACKED) return NACKED;
    if (isKept) return delivery;
    delivery.ack();
    return undefined;
  });
  return deliveryOperator('filterValue', 'kept', kept);
}
