import { Observable, type OperatorFunction, Subscriber } from 'rxjs';
import { type StepCounts, stepCounts } from '../core/flow-scope.js';
import { NACKED } from './nack-errors.js';

/** By a registered symbol, since a flow and its command may load two copies of this package. */
const COUNTS_ITSELF = Symbol.for('rxflume.countsItself');

/** Marks an operator whose deliveries are counted where it handles them, so that a flow need not count before and behind it. */
export function countingItself<F extends object>(operator: F): F {
  return Object.defineProperty(operator, COUNTS_ITSELF, { value: true });
}

export function countsItself(operator: object): boolean {
  return COUNTS_ITSELF in operator;
}

/**
 * An operator that answers each value with one, with undefined where nothing is to go on, or with `NACKED` where it was nacked. One
 * call a value: `map` and `filter` after each other are six.
 *
 * Fails: with what is thrown while a value is on its way, by `each` or by who is behind it, as operators of RxJS do.
 */
export function eachDelivery<A, B>(each: (value: A) => B | undefined | typeof NACKED): OperatorFunction<A, B> {
  return countingItself(
    (source) => new Observable<B>((subscriber) => source.subscribe(new Each(subscriber, each, stepCounts()))),
  );
}

class Each<A, B> extends Subscriber<A> {
  readonly #each: (value: A) => B | undefined | typeof NACKED;
  readonly #received = { value: 0 };
  readonly #emitted = { value: 0 };
  readonly #nacked: { value: number };

  constructor(destination: Subscriber<B>, each: (value: A) => B | undefined | typeof NACKED, step: StepCounts) {
    super(destination);
    this.#each = each;
    // Of the parts of a step the last is subscribed to first.
    step.emitted ??= this.#emitted;
    step.received = this.#received;
    step.nacked ??= { value: 0 };
    this.#nacked = step.nacked;
  }

  protected override _next(value: A): void {
    this.#received.value += 1;
    try {
      const next = this.#each(value);
      if (next === undefined) return;
      if (next === NACKED) {
        this.#nacked.value += 1;
        return;
      }
      this.#emitted.value += 1;
      this.destination.next(next);
    } catch (error) {
      this.destination.error(error);
    }
  }
}
