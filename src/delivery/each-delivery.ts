import { Observable, type OperatorFunction, Subscriber } from 'rxjs';
import { flowScope, type StepCounts } from '../core/flow-scope.js';

/**
 * An operator that answers each value with one, or with undefined where nothing is to go on. One call a value: `map` and
 * `filter` after each other are six.
 *
 * Fails: with what is thrown while a value is on its way, by `each` or by who is behind it, as operators of RxJS do.
 */
export function eachDelivery<A, B>(each: (value: A) => B | undefined): OperatorFunction<A, B> {
  return (source) => new Observable((subscriber) => source.subscribe(new Each(subscriber, each, flowScope()?.step)));
}

class Each<A, B> extends Subscriber<A> {
  readonly #each: (value: A) => B | undefined;
  readonly #received = { value: 0 };
  readonly #emitted = { value: 0 };

  constructor(destination: Subscriber<B>, each: (value: A) => B | undefined, step: StepCounts = {}) {
    super(destination);
    this.#each = each;
    // Of the parts of a step the last is subscribed to first.
    step.emitted ??= this.#emitted;
    step.received = this.#received;
  }

  protected override _next(value: A): void {
    this.#received.value += 1;
    try {
      const next = this.#each(value);
      if (next === undefined) return;
      this.#emitted.value += 1;
      this.destination.next(next);
    } catch (error) {
      this.destination.error(error);
    }
  }
}
