import { Observable, type OperatorFunction, Subscriber } from 'rxjs';

/**
 * An operator that answers each value with one, or with undefined where nothing is to go on. One call a value: `map` and
 * `filter` after each other are six.
 *
 * Fails: with what is thrown while a value is on its way, by `each` or by who is behind it, as operators of RxJS do.
 */
export function eachDelivery<A, B>(each: (value: A) => B | undefined): OperatorFunction<A, B> {
  return (source) => new Observable((subscriber) => source.subscribe(new Each(subscriber, each)));
}

class Each<A, B> extends Subscriber<A> {
  readonly #each: (value: A) => B | undefined;

  constructor(destination: Subscriber<B>, each: (value: A) => B | undefined) {
    super(destination);
    this.#each = each;
  }

  protected override _next(value: A): void {
    try {
      const next = this.#each(value);
      if (next !== undefined) this.destination.next(next);
    } catch (error) {
      this.destination.error(error);
    }
  }
}
