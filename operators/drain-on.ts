import { from, type MonoTypeOperatorFunction, type Observable, type ObservableInput } from 'rxjs';
import { describeValue, OptionError } from '../src/core/errors.js';
import { Source } from '../src/delivery/source.js';

/**
 * Turns a stop signal into completion: when `stop` first emits, the source stops reading, waits until deliveries in flight are
 * settled, commits, closes, and completes. Unsubscribing instead abandons at once.
 *
 * ```
 * source  -a-b-c-d-e-
 * stop    ----s
 *         drainOn(stop)
 * result  -a-b---------|
 * acks    ----a------b
 * ```
 *
 * Settles: nothing itself; the source asks for deliveries in flight to be settled.
 * Bounds: the source's `drainTimeoutMs`; then it fails with `RXF_SOURCE_DRAIN_TIMEOUT`.
 * Fails: throws an `OptionError` unless it directly follows a source, a flow or `retryConnect`: after another operator it could
 * not reach the source.
 */
export function drainOn<T>(stop: ObservableInput<unknown>): MonoTypeOperatorFunction<T> {
  let stop$: Observable<unknown>;
  try {
    stop$ = from(stop);
  } catch {
    throw new OptionError(
      'RXF_OPTION_INVALID',
      `Expected \`stop\` to be an Observable or a promise, got \`${describeValue(stop)}\` (${typeof stop}).`,
    );
  }
  return (source) => {
    if (source instanceof Source) return source.drainedBy(stop$);
    throw new OptionError(
      'RXF_OPTION_INVALID',
      'Expected `drainOn` to directly follow a source, a flow or retryConnect, got an Observable that cannot be ' +
        'drained. Move it up in the pipe.',
    );
  };
}
