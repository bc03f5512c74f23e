import type { OperatorFunction } from 'rxjs';
import type { Delivery } from './delivery.js';
import { partsIn, withInnerParts } from './inner-parts.js';

/** Only a type: what the compiler says where a flow ends in an operator that settles nothing. */
declare const HANDS_ON: 'this operator hands deliveries on: end the flow in a sink or in transmit(write)';

/**
 * An operator that settles each delivery it takes, or hands it on with its acker: those of `rxflume/operators`, and what is
 * `trusted`. An operator of RxJS is no such thing, since its type does not tell `filter`, which drops, from `map`; the name
 * of the property is what the compiler then says.
 */
export interface SettlingOperator<A, R> extends OperatorFunction<Delivery<A>, R> {
  readonly 'RxJS operators may drop or copy deliveries, which are then never settled: use filterValue, splitValue, tee … of rxflume/operators, or trusted(…) around one that only looks or changes': true;
}

/** An operator that takes deliveries, and gives deliveries. */
export interface DeliveryOperator<A, B = A> extends SettlingOperator<A, Delivery<B>> {
  readonly [HANDS_ON]?: true | undefined;
}

/** An operator that settles every delivery it takes and emits something else, so that a flow may end in it. */
export interface EndOperator<A, R> extends SettlingOperator<A, R> {
  readonly [HANDS_ON]?: undefined;
}

/**
 * What an operator does to the ledger of a sink behind it. `kept`: the sink may count on each delivery being the one place
 * where its value goes, in what belongs to one stream. Otherwise the reason why it may not, a clause for the middle of a
 * sentence that says what to do.
 */
export type LedgerTrait = 'kept' | { readonly because: string };

/** What an operator says of itself, by a registered symbol, since a flow and its command may load two copies of this package. */
const LEDGER_TRAIT = Symbol.for('rxflume.ledgerTrait');

/**
 * Gives an operator its name, for a watched flow, its type: it settles what it takes, what it does to a ledger, and what it holds beside
 * the main way.
 */
export function deliveryOperator<A, R>(
  name: string,
  ledger: LedgerTrait,
  operator: OperatorFunction<Delivery<A>, R>,
  inner: Readonly<Record<string, unknown>> | readonly unknown[] = [],
): SettlingOperator<A, R> {
  return Object.defineProperties(withInnerParts(operator, partsIn(inner)), {
    name: { value: name },
    [LEDGER_TRAIT]: { value: ledger },
  }) as SettlingOperator<A, R>;
}

/** What an operator said of itself; undefined where it is none of ours, nor `trusted`. */
export function ledgerTraitOf(operator: unknown): LedgerTrait | undefined {
  return (operator as { readonly [LEDGER_TRAIT]?: LedgerTrait })[LEDGER_TRAIT];
}
