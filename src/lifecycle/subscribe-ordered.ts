import { type Observable, type Observer, Subject, type Subscriber, takeUntil } from 'rxjs';

/**
 * How an operator written by hand takes from its source for its subscriber. Registers with the subscriber at the call,
 * and gives what subscribes, so that the end comes in the right order whatever else is registered in between: first the
 * source is left, also while it still emits within `subscribe` and there is no subscription to end yet; then `left` is
 * called, to nack what waits. The other way round, the nacks would free a window, and more would come. An end that
 * the observer does not look at is the subscriber's.
 */
export function subscribeOrdered(
  subscriber: Subscriber<unknown>,
  left: () => void = () => undefined,
): <T>(source: Observable<T>, observer: Pick<Observer<T>, 'next'> & Partial<Observer<T>>) => void {
  const left$ = new Subject<void>();
  subscriber.add(() => {
    left$.next();
    left();
  });
  return (source, observer) => {
    subscriber.add(
      source.pipe(takeUntil(left$)).subscribe({
        next: (value) => observer.next(value),
        error: (error: unknown) => (observer.error === undefined ? subscriber.error(error) : observer.error(error)),
        complete: () => {
          if (subscriber.closed) return;
          if (observer.complete === undefined) subscriber.complete();
          else observer.complete();
        },
      }),
    );
  };
}
