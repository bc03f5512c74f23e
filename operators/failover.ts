import {
  CIRCUIT_BREAKER_DEFAULTS,
  CircuitBreaker,
  type CircuitBreakerOptions,
  expectCircuitBreaker,
} from '../src/backpressure/circuit-breaker.js';
import { monotonicMs } from '../src/core/clock.js';
import { isRetryable } from '../src/core/errors.js';
import { defaultMonitor, type Monitor } from '../src/core/monitor.js';
import { expectFunction, expectOption, withDefaults } from '../src/core/options.js';
import type { Acker } from '../src/delivery/acker.js';
import {
  type Branch,
  expectSinks,
  intoBranches,
  noSinkError,
  type Outlet,
  untilTheLast,
} from '../src/delivery/branches.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { deliveryOperator, type SettlingOperator } from '../src/delivery/delivery-operator.js';
import { isStopped, nackErrorOfThrown } from '../src/delivery/nack-errors.js';
import { RetainedDeliveries } from '../src/delivery/retained-deliveries.js';

export interface FailoverOptions extends CircuitBreakerOptions {
  /** The number of consecutive failures after which the next sink is used. Default 1. */
  readonly failures?: number;
  /** How long until a failed sink is tried again with one value, in milliseconds. Default 10,000. */
  readonly openMs?: number;
  /** Whether the sink is at fault for a nack, so that another sink may succeed. Default: if the error is retryable. */
  readonly when?: (cause: unknown) => boolean;
  /** Notified when a sink is left and used again. */
  readonly monitor?: Monitor;
}

/** The defaults of `failover`. */
export const FAILOVER_DEFAULTS = {
  failures: 1,
  openMs: CIRCUIT_BREAKER_DEFAULTS.openMs,
  monitor: defaultMonitor,
} as const satisfies FailoverOptions;

/**
 * Hands each delivery to the first of several sinks that works: a value that one nacks goes to the next, and a failing sink is
 * skipped, except for a single value that probes it. Emits what the sinks emit.
 *
 * ```
 * values  -a----b----c--|
 *         failover([main, spare], { openMs: 8 })     main nacks a after 1, then acks; spare acks; both after 1
 * result  ---a---b----c-|
 * acks    ---a---b----c--
 * ```
 *
 * Settles: as the sink does that accepts it; nacks with the last cause when all sinks have nacked it. A value that a sink
 * released before its nack is no longer in memory: it goes back to the source, and to the next sink when it is redelivered.
 * Bounds: keeps unreleased values, which the source's window bounds.
 * Fails: when the last of the sinks has failed, with its error. No ledger is kept downstream: a value may be in two sinks, so
 * each is at least once.
 */
export function failover<T, R>(sinks: readonly Branch<T, R>[], options: FailoverOptions = {}): SettlingOperator<T, R> {
  expectSinks(sinks);
  const checked = withDefaults('failover options', FAILOVER_DEFAULTS, options, ['when']);
  const { failures, openMs, monitor, when = isRetryable } = checked;
  expectCircuitBreaker('failover', { failures, openMs });
  expectFunction('when', when);
  expectOption('monitor', monitor, typeof monitor?.logEvent === 'function', 'a Monitor');

  return deliveryOperator(
    'failover',
    { because: '`failover` may give a value to more than one of its sinks' },
    (source) => {
      const begin = (outlets: readonly Outlet<T>[]) => {
        const targets = outlets.map(
          (outlet, at) => new Target(at, outlet, new CircuitBreaker({ failures, openMs }), monitor),
        );
        /** The sinks that have nacked the deliveries of an acker: none for the source's, some for those taken over. */
        const nackedBy = new WeakMap<Acker, readonly Target<T>[]>();
        const retainedOfEach = new Map<Target<T>, RetainedDeliveries<T>>();
        let complete: (() => void) | undefined;
        const completeWhenEmpty = () => {
          if (complete !== undefined && [...retainedOfEach.values()].every(({ size }) => size === 0)) complete();
        };
        const isItsFault = (delivery: Delivery<T>, cause: unknown): boolean => {
          try {
            return when(cause);
          } catch (thrown) {
            throw nackErrorOfThrown('when of failover', thrown, delivery);
          }
        };
        /** A throw says nothing about the sink. */
        const mayBeItsFault = (cause: unknown): boolean => {
          try {
            return when(cause);
          } catch {
            return false;
          }
        };
        const give = (delivery: Delivery<T>): boolean => {
          const nacked = nackedBy.get(delivery.acker) ?? [];
          const left = targets.filter((target) => target.isOpen && !nacked.includes(target));
          const now = monotonicMs();
          const target = left.find((one) => one.mayTry(now)) ?? left[0];
          if (target === undefined) return false;
          target.give((retainedOfEach.get(target) as RetainedDeliveries<T>).keep(delivery));
          return true;
        };
        for (const target of targets) {
          const takeOver = (delivery: Delivery<T>, cause: unknown, was: Delivery<T>) => {
            if (isStopped(cause) ? target.isOpen : !isItsFault(delivery, cause)) return false;
            nackedBy.set(delivery.acker, [...(nackedBy.get(was.acker) ?? []), target]);
            return give(delivery);
          };
          const nacked = (cause: unknown) =>
            target.nacked(isStopped(cause) ? 'left' : mayBeItsFault(cause) ? 'failed' : 'alive');
          retainedOfEach.set(
            target,
            new RetainedDeliveries<T>({
              takeOver,
              accepted: () => target.accepted(),
              nacked,
              emptied: completeWhenEmpty,
              resumeTracker: 'hidden',
            }),
          );
        }
        return {
          deal: (delivery: Delivery<T>) => {
            if (!give(delivery)) delivery.nack(noSinkError());
          },
          // A value that one sink nacks after the source has completed must still reach the next.
          completed: (end: () => void) => {
            complete = end;
            completeWhenEmpty();
          },
        };
      };
      return intoBranches(sinks, begin, untilTheLast('failover', sinks.length, monitor))(source);
    },
    sinks,
  );
}

class Target<T> {
  readonly #at: number;
  readonly #outlet: Outlet<T>;
  readonly #breaker: CircuitBreaker;
  readonly #monitor: Monitor;

  constructor(at: number, outlet: Outlet<T>, breaker: CircuitBreaker, monitor: Monitor) {
    this.#at = at;
    this.#outlet = outlet;
    this.#breaker = breaker;
    this.#monitor = monitor;
  }

  get isOpen(): boolean {
    return this.#outlet.isOpen;
  }

  mayTry(now: number): boolean {
    return this.#breaker.mayTry(now);
  }

  give(delivery: Delivery<T>): void {
    this.#breaker.began();
    this.#outlet.give(delivery);
  }

  accepted(): void {
    if (!this.#breaker.isOpen) {
      this.#breaker.succeeded();
      return;
    }
    this.#breaker.succeeded();
    this.#monitor.logEvent('info', 'failover.back', `Sink ${this.#at + 1} works again.`);
  }

  nacked(how: 'failed' | 'left' | 'alive'): void {
    const wasOpen = this.#breaker.isOpen;
    if (how !== 'failed') this.#breaker.left();
    else this.#breaker.failed(monotonicMs());
    if (wasOpen || !this.#breaker.isOpen) return;
    this.#monitor.logEvent('warn', 'failover.left', `Sink ${this.#at + 1} fails; the next is used.`);
  }
}
