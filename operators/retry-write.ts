import { defer, Observable, type ObservableInput, Subject, Subscription, take, timer } from 'rxjs';
import { BACKOFF_DEFAULTS, type BackoffOptions, backoffMs, expectBackoff } from '../src/backpressure/backoff.js';
import {
  CircuitBreaker,
  type CircuitBreakerOptions,
  expectCircuitBreaker,
} from '../src/backpressure/circuit-breaker.js';
import { monotonicMs } from '../src/core/clock.js';
import { SinkError } from '../src/core/errors.js';
import { defaultMonitor, type Monitor } from '../src/core/monitor.js';
import { expectFunction, expectMs, expectOption, expectWhole, withDefaults } from '../src/core/options.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { isEpochOver, whenEpochOver } from '../src/delivery/flush-listeners.js';
import { lateNackError, mayPass } from '../src/delivery/nack-errors.js';
import { within } from '../src/lifecycle/time-limit.js';

export interface RetryWriteOptions extends BackoffOptions {
  /** The most attempts of one write, the first included. Default 5. */
  readonly maxAttempts?: number;
  /** The time limit of one attempt, in milliseconds. Default 30,000. */
  readonly requestTimeoutMs?: number;
  /** When all writes wait because the last ones failed, for any value. Default 5 failures, 10,000 ms. */
  readonly breaker?: CircuitBreakerOptions;
  /** Notified when the breaker opens and closes. */
  readonly monitor?: Monitor;
}

/** The defaults of `retryWrite`. */
export const RETRY_WRITE_DEFAULTS = {
  ...BACKOFF_DEFAULTS,
  maxAttempts: 5,
  requestTimeoutMs: 30_000,
  breaker: {},
  monitor: defaultMonitor,
} as const satisfies RetryWriteOptions;

/** What `transmit` writes with. */
export type Write<T, R> = (value: T, delivery: Delivery<T>) => ObservableInput<R>;

/**
 * Makes a write for `transmit` that is retried when it fails with a retryable cause: with exponential backoff, and a circuit
 * breaker, shared by all its writes, that blocks writes while the target keeps failing.
 *
 * ```
 * values  -a----------|
 *         transmit(retryWrite(write, { firstDelayMs: 4, jitter: 0 }))     a try takes 1, and the first fails
 * result  -------a----|
 * acks    -------a-----
 * ```
 *
 * Settles: nothing; `transmit` nacks with the last error when the retries are exhausted. A value whose stream is rewound
 * meanwhile is not retried.
 * Bounds: an attempt for at most `requestTimeoutMs`, of `maxAttempts`. The results of one attempt, which are emitted when it
 * completes: those of a failed attempt are dropped. While the breaker is open, writes wait inside `transmit`'s `maxInFlight`,
 * so the source's window fills and the source pauses.
 */
export function retryWrite<T, R>(
  write: Write<T, R>,
  options: RetryWriteOptions = {},
): (value: T, delivery: Delivery<T>) => Observable<R> {
  expectFunction('write', write);
  const checked = withDefaults('retryWrite options', RETRY_WRITE_DEFAULTS, options);
  expectWhole('maxAttempts', checked.maxAttempts, 1);
  expectMs('requestTimeoutMs', checked.requestTimeoutMs, 1);
  expectBackoff(checked);
  expectCircuitBreaker('breaker', checked.breaker);
  expectOption('monitor', checked.monitor, typeof checked.monitor?.logEvent === 'function', 'a Monitor');
  const target = new Target(checked);

  return (value, delivery) =>
    new Observable((subscriber) => {
      const { flush$ } = delivery.acker;
      let failures = 0;
      let isWriting = false;
      const trying = new Subscription();
      const tryOnce = () => {
        const answers: R[] = [];
        const attempt$ = defer(() => {
          isWriting = true;
          return write(value, delivery);
        }).pipe(within(checked.requestTimeoutMs, () => lateNackError('write', checked.requestTimeoutMs, delivery)));
        trying.add(
          target.tryWith(attempt$).subscribe({
            next: (answer) => {
              answers.push(answer);
            },
            error: failed,
            complete: () => {
              for (const answer of answers) subscriber.next(answer);
              subscriber.complete();
            },
          }),
        );
      };
      const failed = (cause: unknown) => {
        isWriting = false;
        failures += 1;
        if (!mayPass(cause) || failures >= checked.maxAttempts || isEpochOver(flush$)) subscriber.error(cause);
        else trying.add(timer(backoffMs(failures, checked)).subscribe(tryOnce));
      };
      trying.add(
        whenEpochOver(flush$, () => {
          // A write that waits for its retry, or for the breaker, is redelivered. An attempt in progress ends by itself.
          if (!isWriting) subscriber.error(staleError());
        }),
      );
      if (!subscriber.closed) tryOnce();
      return trying;
    });
}

/** The target, as seen by its circuit breaker. */
class Target {
  readonly #breaker: CircuitBreaker;
  readonly #monitor: Monitor;
  /** Emits when an attempt has ended: waiting writes check again. */
  readonly #tried$ = new Subject<void>();

  constructor({ breaker, monitor }: { readonly breaker: CircuitBreakerOptions; readonly monitor: Monitor }) {
    this.#breaker = new CircuitBreaker(breaker);
    this.#monitor = monitor;
  }

  /** The attempt, begun when the breaker lets it through. */
  tryWith<R>(attempt$: Observable<R>): Observable<R> {
    return new Observable((subscriber) => {
      const begin = () => {
        // One look: where the breaker closes between two, there is neither a try nor a time to wait for.
        const now = monotonicMs();
        if (this.#breaker.mayTry(now)) subscriber.add(this.#begin(attempt$, subscriber));
        else subscriber.add(this.#untilChange(now).subscribe(begin));
      };
      begin();
    });
  }

  #begin<R>(attempt$: Observable<R>, subscriber: { next(answer: R): void; error(e: unknown): void; complete(): void }) {
    let isTrying = true;
    this.#breaker.began();
    const ended = (tell: () => void) => {
      isTrying = false;
      const wasOpen = this.#breaker.isOpen;
      tell();
      if (wasOpen !== this.#breaker.isOpen) this.#say();
      this.#tried$.next();
    };
    const attempt = attempt$.subscribe({
      next: (answer) => subscriber.next(answer),
      error: (cause: unknown) => {
        // A permanent failure is the value's fault and says nothing about the target.
        ended(() => (mayPass(cause) ? this.#breaker.failed(monotonicMs()) : this.#breaker.left()));
        subscriber.error(cause);
      },
      complete: () => {
        ended(() => this.#breaker.succeeded());
        subscriber.complete();
      },
    });
    attempt.add(() => {
      if (isTrying) ended(() => this.#breaker.left());
    });
    return attempt;
  }

  #untilChange(now: number): Observable<unknown> {
    const openMs = this.#breaker.openMs(now);
    return openMs > 0 ? timer(openMs) : this.#tried$.pipe(take(1));
  }

  #say(): void {
    if (this.#breaker.isOpen) {
      this.#monitor.logEvent('warn', 'write.suspended', 'Writes keep failing: all wait until one retry succeeds.');
    } else this.#monitor.logEvent('info', 'write.resumed', 'Writes succeed again.');
  }
}

function staleError(): SinkError {
  return new SinkError('RXF_SINK_STOPPED', 'The stream was rewound while a write waited; the value is redelivered.');
}
