import type { OperatorFunction } from 'rxjs';
import { ConnectError, isRetryable, OptionError } from '../core/errors.js';
import type { RecordHeaders } from '../core/headers.js';
import { Pending } from '../core/pending.js';
import type { Delivery } from '../delivery/delivery.js';
import { eachDelivery } from '../delivery/each-delivery.js';
import { NACKED, nackErrorOfThrown } from '../delivery/nack-errors.js';
import { eachInOrder } from './each-in-order.js';

/** What reads a value: at once, or with the headers and perhaps after a wait. */
export type Reader<I, A> = ((value: I) => A) | { decodeWith(value: I, origin: RecordHeaders): A | Pending };

/**
 * Reads the value of each delivery. One that cannot be read is given to `nack`; one for which there was no connection is nacked, since
 * that is not the value's fault.
 *
 * Fails: with an `OptionError` that is thrown, since it would be thrown for every value.
 */
export function readDeliveries<I, A>(
  reader: Reader<I, A>,
  nack: (delivery: Delivery<I>, cause: unknown) => typeof NACKED | undefined,
): OperatorFunction<Delivery<I>, Delivery<A>> {
  const thrown = (delivery: Delivery<I>, cause: unknown) => {
    if (cause instanceof OptionError) {
      delivery.nack(cause);
      throw cause;
    }
    return nack(delivery, nackErrorOfThrown('decoder of decode', cause, delivery));
  };
  if (typeof reader === 'function') {
    return eachDelivery((delivery: Delivery<I>): Delivery<A> | typeof NACKED | undefined => {
      try {
        return delivery.with(reader(delivery.value));
      } catch (cause) {
        return thrown(delivery, cause);
      }
    });
  }
  const failed = (delivery: Delivery<I>, cause: unknown) => {
    if (!(cause instanceof ConnectError) && !isRetryable(cause)) return thrown(delivery, cause);
    delivery.nack(cause);
    return NACKED;
  };
  return eachInOrder<I, A>({
    each: (delivery) => {
      try {
        const value = reader.decodeWith(delivery.value, delivery.origin);
        return value instanceof Pending ? value : delivery.with(value);
      } catch (cause) {
        return failed(delivery, cause);
      }
    },
    failed,
  });
}
