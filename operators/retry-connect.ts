import {
  type MonoTypeOperatorFunction,
  NEVER,
  Observable,
  ReplaySubject,
  retry,
  takeUntil,
  throwError,
  timer,
} from 'rxjs';
import { BACKOFF_DEFAULTS, type BackoffOptions, backoffMs, expectBackoff } from '../src/backpressure/backoff.js';
import { ConnectError, describeError } from '../src/core/errors.js';
import { defaultMonitor, type Monitor } from '../src/core/monitor.js';
import { expectOption, expectWhole, withDefaults } from '../src/core/options.js';
import { Source } from '../src/delivery/source.js';

export interface RetryConnectOptions extends BackoffOptions {
  /** The most attempts in a row that fail after the first; then the error goes on. Default 10. */
  readonly attempts?: number;
  /** Told of the waits; of those that follow within 10 s, only how many. */
  readonly monitor?: Monitor;
}

/**
 * Subscribes again when the source fails with a retryable `ConnectError`: with a wait that doubles, a limit, and a
 * notice of each wait but of those that follow for the same reason within 10 s. The count starts anew with the first value. Other errors go on at once.
 *
 * ```
 * source   -#   -#       -a-b-|
 *          retryConnect({ firstDelayMs: 4, jitter: 0 })
 * result   ---------------a-b-|       waits of 4, then 8
 * ```
 *
 * Settles: nothing. What was out when a connection broke is void, and is redelivered from the new one.
 * Bounds: `attempts` tries in a row. A stop signal (`drainOn`) during a wait completes it.
 * Fails: with the source's error when it is not retryable, the attempts are used up, or it comes after the stop signal.
 */
export function retryConnect<T>(options: RetryConnectOptions = {}): MonoTypeOperatorFunction<T> {
  const checked = withDefaults('retryConnect options', DEFAULTS, options);
  expectWhole('attempts', checked.attempts, 0);
  expectBackoff(checked);
  const { monitor } = checked;
  expectOption('monitor', monitor, typeof monitor?.logEvent === 'function', 'a Monitor');

  return (source) => {
    if (!(source instanceof Source)) return retrying(source, checked, NEVER);
    return new Source<T>((subscriber, stop$) => {
      // One stop signal for all connections: a later one must not miss it, nor start a cold one anew.
      const stopped$ = new ReplaySubject<unknown>(1);
      subscriber.add(stop$.subscribe(stopped$));
      return retrying(source.drainedBy(stopped$), checked, stopped$).subscribe(subscriber);
    }, source.traits);
  };
}

const DEFAULTS = {
  attempts: 10,
  ...BACKOFF_DEFAULTS,
  monitor: defaultMonitor,
};

function retrying<T>(
  source: Observable<T>,
  options: Required<RetryConnectOptions>,
  stop$: Observable<unknown>,
): Observable<T> {
  return new Observable((subscriber) => {
    let isStopping = false;
    subscriber.add(
      stop$.subscribe({
        next: () => {
          isStopping = true;
        },
        // The source fails with it too; in a wait there is none.
        error: (error: unknown) => subscriber.error(error),
      }),
    );
    const delay = (error: unknown, failures: number) => {
      const mayRetry = !isStopping && error instanceof ConnectError && error.retryable && failures <= options.attempts;
      if (!mayRetry) return throwError(() => error);
      const delayMs = backoffMs(failures, options);
      const next = `Trying again in ${Math.round(delayMs)} ms (${failures} of ${options.attempts}).`;
      options.monitor.report({
        what: error.code,
        about: 'retryConnect',
        message: `${describeError(error)} ${next}`,
        addition: `${next} The reason is ${error.code}, reported before.`,
        cause: error,
      });
      return timer(delayMs).pipe(takeUntil(stop$));
    };
    return source.pipe(retry({ delay, resetOnSuccess: true })).subscribe(subscriber);
  });
}
