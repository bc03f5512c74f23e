import { type MonoTypeOperatorFunction, Observable, timer } from 'rxjs';

/** Passes on what completes within so many milliseconds; later it fails with the error. No limit: `Infinity`. */
export function within<T>(ms: number, late: () => unknown): MonoTypeOperatorFunction<T> {
  if (ms === Number.POSITIVE_INFINITY) return (source) => source;
  return (source) =>
    new Observable((subscriber) => {
      subscriber.add(timer(ms).subscribe(() => subscriber.error(late())));
      return source.subscribe(subscriber);
    });
}
