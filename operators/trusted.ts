import type { Observable, OperatorFunction } from 'rxjs';
import { expectFunction } from '../src/core/options.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { deliveryOperator, type SettlingOperator } from '../src/delivery/delivery-operator.js';
import { innerPartsOf, withInnerParts } from '../src/delivery/inner-parts.js';

/**
 * Marks an operator as trusted, where `flow` accepts only operators that settle what they take: one of RxJS that only observes
 * or delays (`tap`, `delay`), one that you wrote, or several of rxflume's combined.
 *
 * ```
 * values  -a-b-c-|
 *         trusted(tap(({ value }) => seen.push(value)))
 * result  -a-b-c-|
 * acks    --a-b-c-      acking the result acks the delivery
 * ```
 *
 * Settles: nothing itself. You promise that `operator` hands on each delivery exactly once, or settles it.
 * Bounds: as `operator` does.
 */
export function trusted<T, R>(operator: OperatorFunction<Delivery<T>, R>): SettlingOperator<T, R> {
  expectFunction('operator', operator);
  return withInnerParts(
    deliveryOperator(operator.name || 'trusted', 'kept', (source: Observable<Delivery<T>>) => operator(source)),
    innerPartsOf(operator),
  );
}
