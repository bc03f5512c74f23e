import type { OperatorFunction } from 'rxjs';
import type { Delivery } from './delivery.js';

/**
 * An operator that settles each delivery it takes, or hands it on with its duty: those of `rxflume/operators`, and what is
 * `trusted`. An operator of RxJS is no such thing, since its type does not tell `filter`, which drops, from `map`; the name
 * of the property is what the compiler then says.
 */
export interface SettlingOperator<A, R> extends OperatorFunction<Delivery<A>, R> {
  readonly 'RxJS operators may drop or copy deliveries, which are then never settled: use filterValue, splitValue, tee … of rxflume/operators, or trusted(…) around one that only looks or changes': true;
}

/** An operator that takes deliveries, and gives deliveries. */
export type DeliveryOperator<A, B = A> = SettlingOperator<A, Delivery<B>>;

/** Gives an operator its name, for whoever watches a flow, and its type: it settles what it takes. */
export function deliveryOperator<A, R>(
  name: string,
  operator: OperatorFunction<Delivery<A>, R>,
): SettlingOperator<A, R> {
  return Object.defineProperty(operator, 'name', { value: name }) as SettlingOperator<A, R>;
}
