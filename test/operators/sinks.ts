import { concatMap, type Observable, of, throwError, timer } from 'rxjs';
import type { Delivery } from '../../src/delivery/delivery.js';

/** A toy sink: settles each delivery so much later, in order of arrival, and emits its value where it was acked. */
export function sinkAfter<T>(ms: number, nacks: (value: T) => unknown = () => undefined) {
  return (deliveries: Observable<Delivery<T>>): Observable<T> =>
    deliveries.pipe(
      concatMap((delivery) =>
        timer(ms).pipe(
          concatMap(() => {
            const cause = nacks(delivery.value);
            if (cause === undefined) delivery.ack();
            else delivery.nack(cause);
            return cause === undefined ? of(delivery.value) : [];
          }),
        ),
      ),
    );
}

/** A sink that fails at its first delivery, which it does not settle. */
export function brokenSink<T>(error: unknown) {
  return (deliveries: Observable<Delivery<T>>): Observable<T> =>
    deliveries.pipe(concatMap(() => throwError(() => error)));
}

/** A branch that hands everything on. */
export function through<T>(deliveries: Observable<Delivery<T>>): Observable<Delivery<T>> {
  return deliveries;
}
