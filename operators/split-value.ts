import { Observable } from 'rxjs';
import { countNacks } from '../src/core/flow-scope.js';
import { expectFunction } from '../src/core/options.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { type DeliveryOperator, deliveryOperator } from '../src/delivery/delivery-operator.js';
import { NACKED, resultFor, stoppedError } from '../src/delivery/nack-errors.js';
import { splitDelivery } from '../src/delivery/split.js';
import { subscribeOrdered } from '../src/lifecycle/subscribe-ordered.js';

/**
 * Splits each delivery into one for each value that `project` returns: the original is acked when all of them are, and nacked
 * when the first of them is. With no values it is acked at once.
 *
 * ```
 * values  -x-----y-----|
 *         splitValue(x => x.split(''))     x = 'ab', y = 'c'
 * result  -(ab)--c-----|
 * acks    ---x----y-----     a and b are acked after 1 and 2, c after 1
 * ```
 *
 * Settles: nacks a delivery for which `project` throws, with `RXF_OPERATOR_FAILED`; and one whose parts were not all emitted
 * because the flow stopped.
 * Bounds: the parts of one delivery at once, and about 300 bytes for each delivery until it is settled.
 */
export function splitValue<T, U>(project: (value: T, delivery: Delivery<T>) => Iterable<U>): DeliveryOperator<T, U> {
  expectFunction('project', project);
  return deliveryOperator(
    'splitValue',
    'kept',
    (source) =>
      new Observable((subscriber) => {
        const nacked = countNacks();
        subscribeOrdered(subscriber)(source, {
          next: (delivery) => {
            const values = resultFor(
              'project of splitValue',
              delivery,
              (value) => [...project(value, delivery)],
              nacked,
            );
            if (values === NACKED) return;
            for (const part of splitDelivery(delivery, values)) {
              if (subscriber.closed)
                part.nack(stoppedError('all parts of the value were emitted', 'it is redelivered'));
              else subscriber.next(part);
            }
          },
        });
      }),
  );
}
