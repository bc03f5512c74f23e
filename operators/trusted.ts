import type { OperatorFunction } from 'rxjs';
import { expectFunction } from '../src/core/options.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { deliveryOperator, type SettlingOperator } from '../src/delivery/delivery-operator.js';

/**
 * Takes an operator on your word, where `flow` takes only those that settle what they take: one of RxJS that only looks or
 * changes (`tap`, `delay`), one that you wrote, several of ours in one.
 *
 * ```
 * values  -a-b-c-|
 *         trusted(tap(({ value }) => seen.push(value)))
 * result  -a-b-c-|
 * acks    --a-b-c-      whoever acks the result acks the delivery
 * ```
 *
 * Settles: nothing itself. The word is: each delivery it takes, `operator` hands on once, or settles.
 */
export function trusted<T, R>(operator: OperatorFunction<Delivery<T>, R>): SettlingOperator<T, R> {
  expectFunction('operator', operator);
  return deliveryOperator(operator.name || 'trusted', 'kept', (source) => operator(source));
}
