import { from, type ObservableInput } from 'rxjs';
import type { Delivery } from '../../delivery/delivery.js';
import { Source } from '../../delivery/source.js';
import type { CallbackListener } from './callback-connection.js';
import { checkOptions, type FromOptions } from './options.js';
import { FROM, traitsOf } from './push-kind.js';
import { PushSession } from './push-session.js';

/**
 * Any Observable as a source: one delivery a value. It is subscribed to at each subscription, once.
 *
 * ```
 * input    -a-b-c-----------|
 * values   -a-b-----c-------|     a window of 2
 * acks     -------a---b---c-|
 * ```
 *
 * ```ts
 * import { fromObservable$ } from 'rxflume/inputs';
 * import { interval, map } from 'rxjs';
 *
 * const load$ = interval(1_000).pipe(map(() => process.memoryUsage().rss));
 * export const memory$ = fromObservable$(load$, { name: 'memory', overflow: 'dropOldest' });
 * ```
 *
 * Settles: calls `onAck` or `onNack` once for each value. Without `onNack` a nack ends the source; without both the guarantee is
 * at most once, since what was in flight when the program ended is lost.
 * Bounds: `window` for what is out, `waiting` for what came while it was full: an Observable cannot be paused. The values until
 * they are settled, up to `maxUnacked`, where there is an `onAck` or an `onNack`.
 * Fails: with the error of the input, once what is out is settled; `SourceError` where more waits than may, on a nack without
 * `onNack`, where `onAck` or `onNack` fails, or a drain is late.
 */
export function fromObservable$<T>(input: ObservableInput<T>, options: FromOptions<T>): Source<Delivery<T>> {
  const checked = checkOptions(options);
  const input$ = from(input);
  const connect = (listener: CallbackListener<T>) => {
    const subscription = input$.subscribe({
      next: (value) => {
        listener.next(value);
      },
      error: (error: unknown) => listener.error(error),
      complete: () => listener.complete(),
    });
    return () => subscription.unsubscribe();
  };
  return new Source(
    (subscriber, stop$) => new PushSession(FROM, connect, checked, subscriber).start(stop$),
    traitsOf('fromObservable$', options),
  );
}
