import { defer, from, type MonoTypeOperatorFunction, Observable, type ObservableInput, timer } from 'rxjs';

/** Passes on what completes within so many milliseconds; later it fails with the error. No limit: `Infinity`. */
export function within<T>(ms: number, late: () => unknown): MonoTypeOperatorFunction<T> {
  if (ms === Number.POSITIVE_INFINITY) return (source) => source;
  return (source) =>
    new Observable((subscriber) => {
      subscriber.add(timer(ms).subscribe(() => subscriber.error(late())));
      return source.subscribe(subscriber);
    });
}

/**
 * The answer of something that is not ours, such as a driver or a function of the application.
 *
 * Fails: as the answer does; with what was thrown at the call, or is no answer at all; with `late()` where there is none
 * within so many milliseconds.
 */
export function guarded<T>(call: () => ObservableInput<T>, withinMs: number, late: () => unknown): Observable<T> {
  return defer(() => from(call())).pipe(within(withinMs, late));
}
