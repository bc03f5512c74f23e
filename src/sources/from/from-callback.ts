import { expectFunction } from '../../core/options.js';
import type { Delivery } from '../../delivery/delivery.js';
import { Source } from '../../delivery/source.js';
import type { ConnectCallback } from './callback-connection.js';
import { checkOptions, type FromOptions } from './options.js';
import { FROM, traitsOf } from './push-kind.js';
import { PushSession } from './push-session.js';

/**
 * Any library that calls back, as a source: one delivery a value. `connect` is called at each subscription.
 *
 * ```
 * calls    -a-b-c-----------|
 * values   -a-b-----c-------|     a window of 2
 * acks     -------a---X-----|     X: b is nacked
 * calls    -------a---b-----|     of `onAck` and of `onNack`
 * ```
 *
 * ```ts
 * import { EventEmitter } from 'node:events';
 * import { fromCallback } from 'rxflume/inputs';
 *
 * const meters = new EventEmitter();
 * export const readings$ = fromCallback<{ readonly id: number }>(
 *   (listener) => {
 *     const next = (reading: { readonly id: number }) => listener.next(reading);
 *     meters.on('reading', next);
 *     return () => meters.off('reading', next);
 *   },
 *   { name: 'meters', onAck: ({ id }) => meters.emit('stored', id) },
 * );
 * ```
 *
 * Settles: calls `onAck` or `onNack` once for each value. Without `onNack` a nack ends the source; without both the guarantee is
 * at most once, since what was in flight when the program ended is lost.
 * Bounds: `window` for what is out, `waiting` for what came while it was full; the values until they are settled, up to
 * `maxUnacked`, where there is an `onAck` or an `onNack`.
 * Fails: `SourceError` where more waits than may, on a nack without `onNack`, where `onAck` or `onNack` fails, or a drain is late;
 * with what `listener.error` was given.
 */
export function fromCallback<T>(connect: ConnectCallback<T>, options: FromOptions<T>): Source<Delivery<T>> {
  expectFunction('connect', connect);
  const checked = checkOptions(options);
  return new Source(
    (subscriber, stop$) => new PushSession(FROM, connect, checked, subscriber).start(stop$),
    traitsOf('fromCallback', options),
  );
}
