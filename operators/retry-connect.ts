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
import { flowScope, inFlowScope } from '../src/core/flow-scope.js';
import { defaultMonitor, type Monitor } from '../src/core/monitor.js';
import { expectOption, expectWhole, withDefaults } from '../src/core/options.js';
import { sentence } from '../src/core/sentence.js';
import { Source } from '../src/delivery/source.js';

export interface RetryConnectOptions extends BackoffOptions {
  /** The most attempts in a row to connect again; then the error is passed on. Default 10. */
  readonly maxAttempts?: number;
  /** Notified of the waits; of further ones within 10 s, only how many. */
  readonly monitor?: Monitor;
}

/**
 * Resubscribes when the source fails with a retryable `ConnectError`: with exponential backoff, a limit, and a log event for
 * each wait, except those that follow for the same reason within 10 s. The first value resets the count. Other errors are
 * passed on at once.
 *
 * ```
 * source   -#   -#       -a-b-|
 *          retryConnect({ firstDelayMs: 4, jitter: 0 })
 * result   ---------------a-b-|       waits of 4, then 8
 * ```
 *
 * Settles: nothing. Deliveries in flight when a connection broke are stale, and are redelivered on the new one.
 * Bounds: `maxAttempts` in a row. A stop signal (`drainOn`) during a wait completes it.
 * Fails: with the source's error when it is not retryable, the attempts are exhausted, or it occurs after the stop signal.
 */
export function retryConnect<T>(options: RetryConnectOptions = {}): MonoTypeOperatorFunction<T> {
  const checked = withDefaults('retryConnect options', DEFAULTS, options);
  expectWhole('maxAttempts', checked.maxAttempts, 0);
  expectBackoff(checked);
  const { monitor } = checked;
  expectOption('monitor', monitor, typeof monitor?.metric === 'function', 'a Monitor');

  return (source) => {
    if (!(source instanceof Source)) return retrying(source, checked, NEVER);
    return new Source<T>((subscriber, stop$) => {
      // One stop signal for all connections: a later connection must not miss it, nor resubscribe a cold one.
      const stopped$ = new ReplaySubject<unknown>(1);
      subscriber.add(stop$.subscribe(stopped$));
      return retrying(source.drainedBy(stopped$), checked, stopped$).subscribe(subscriber);
    }, source.traits);
  };
}

const DEFAULTS = {
  maxAttempts: 10,
  ...BACKOFF_DEFAULTS,
  monitor: defaultMonitor,
};

function retrying<T>(
  source: Observable<T>,
  options: Required<RetryConnectOptions>,
  stop$: Observable<unknown>,
): Observable<T> {
  return new Observable((subscriber) => {
    const reconnects = options.monitor.metric('rxflume_connect_retries_total');
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
      const mayRetry =
        !isStopping && error instanceof ConnectError && error.retryable && failures <= options.maxAttempts;
      if (!mayRetry) return throwError(() => error);
      reconnects.add(1);
      const delayMs = backoffMs(failures, options);
      const next = `Retrying in ${Math.round(delayMs)} ms (${failures} of ${options.maxAttempts}).`;
      options.monitor.report({
        what: error.code,
        about: 'retryConnect',
        message: sentence(describeError(error), next),
        addition: `${next} The reason is ${error.code}, reported before.`,
        cause: error,
      });
      return timer(delayMs).pipe(takeUntil(stop$));
    };
    const scope = flowScope();
    const scoped$ = new Observable<T>((each) => inFlowScope(scope, () => source.subscribe(each)));
    return scoped$.pipe(retry({ delay, resetOnSuccess: true })).subscribe(subscriber);
  });
}
