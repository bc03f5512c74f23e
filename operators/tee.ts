import { EMPTY, throwError } from 'rxjs';
import type { WindowLimits } from '../src/backpressure/in-flight-window.js';
import { describeError, shortName } from '../src/core/errors.js';
import { defaultMonitor, type Monitor } from '../src/core/monitor.js';
import { expectKnown, expectOption, expectWhole, groupWithDefaults } from '../src/core/options.js';
import { sentence } from '../src/core/sentence.js';
import { MiB } from '../src/core/units.js';
import { type Branch, expectBranches, intoBranches, type Outlet } from '../src/delivery/branches.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { deliveryOperator, type SettlingOperator } from '../src/delivery/delivery-operator.js';
import { FanOutAckers } from '../src/delivery/fan-out-acker.js';
import { MOST_PARTIES } from '../src/delivery/fan-out-state.js';
import { isStopped } from '../src/delivery/nack-errors.js';
import { OptionalAckers } from '../src/delivery/optional-acker.js';

export interface TeeOptions<K extends string = string> {
  /** The sinks whose acks count. The others receive what they can keep up with. Default: all. */
  readonly required?: readonly K[];
  /**
   * The maximum that each optional sink may hold unreleased; it skips deliveries beyond that. Default 10,000 values and 16 MiB.
   */
  readonly spare?: Partial<WindowLimits>;
  /** Notified when an optional sink fails, nacks or falls behind. */
  readonly monitor?: Monitor;
}

export const TEE_DEFAULTS = { spare: { count: 10_000, bytes: 16 * MiB }, monitor: defaultMonitor } as const;

/**
 * Hands each delivery to several sinks: it is acked when all sinks, or all `required` ones, have acked it, and nacked when the
 * first of these nacks it. Emits what the sinks emit.
 *
 * ```
 * values  -a-----b-----|
 *         tee({ lake, index })     lake acks after 3, index after 1
 * result  --a-a---b-b--|
 * acks    ----a-----b---
 * ```
 *
 * Settles: as described; a value that one sink has stored and another nacks is redelivered to all. The ledger of a required
 * sink stays exact: its commit waits until the others have acked everything before it.
 * Bounds: nothing is buffered. A value is released when all required sinks have released it, and three bytes remember it until
 * all have settled it. A sink that is not required holds at most `spare`: what it would get beyond that it never gets, and the
 * figure `rxflume_tee_skipped_total` counts it.
 * Fails: with the first error of a required sink; an optional one that fails is no longer used, with a log event.
 */
export function tee<T, R, K extends string>(
  sinks: Readonly<Record<K, Branch<T, R>>>,
  options: TeeOptions<NoInfer<K>> = {},
): SettlingOperator<T, R> {
  expectKnown('tee options', options, ['required', 'spare', 'monitor']);
  const names = expectBranches('sinks', sinks, MOST_PARTIES) as K[];
  const required = options.required ?? names;
  const areNames = Array.isArray(required) && required.length > 0 && required.every((name) => names.includes(name));
  expectOption('required', required, areNames, `some of ${names.join(', ')}`);
  const spare = groupWithDefaults('spare', TEE_DEFAULTS.spare, options.spare);
  expectWhole('spare.count', spare.count, 1);
  expectWhole('spare.bytes', spare.bytes, 1);
  const { monitor = TEE_DEFAULTS.monitor } = options;
  expectOption('monitor', monitor, typeof monitor?.metric === 'function', 'a Monitor');

  const isRequired = (name: K) => required.includes(name);
  const ordered = [...names.filter(isRequired), ...names.filter((name) => !isRequired(name))];
  const count = ordered.filter(isRequired).length;
  return deliveryOperator(
    'tee',
    'kept',
    intoBranches<T, R>(
      ordered.map((name) => sinks[name]),
      (outlets) => {
        const shared = new FanOutAckers(count);
        const spares = ordered.slice(count).map((name, at) => {
          const outlet = outlets[count + at] as Outlet<T>;
          return new Spare(name, outlet, spare, monitor);
        });
        return {
          deal(delivery) {
            // First, since its copy must be made before the required sinks may settle the original.
            for (const one of spares) one.give(delivery);
            for (const [at, part] of shared.share(delivery).entries()) (outlets[at] as Outlet<T>).give(part);
          },
        };
      },
      (at, error) => {
        if (at < count) return throwError(() => error);
        const what = `Sink ${ordered[at]} is no longer used`;
        monitor.report({
          what: 'tee.left-out',
          message: sentence(`${what}: ${describeError(error)}`),
          addition: `${what}, because of ${shortName(error)}.`,
          cause: error,
        });
        return EMPTY;
      },
    ),
  );
}

/** An optional sink: it receives what it can keep up with. */
class Spare<T> {
  readonly #outlet: Outlet<T>;
  readonly #ackers: OptionalAckers;
  readonly #skipped;
  readonly #tellSkipping: () => void;
  #isSkipping = false;

  constructor(name: string, outlet: Outlet<T>, limits: WindowLimits, monitor: Monitor) {
    this.#outlet = outlet;
    this.#skipped = monitor.metric('rxflume_tee_skipped_total', { sink: name });
    this.#tellSkipping = () =>
      monitor.logEvent(
        'warn',
        'tee.behind',
        `Sink ${name} has fallen behind and skips deliveries until it catches up.`,
      );
    this.#ackers = new OptionalAckers(limits, (cause) => {
      if (isStopped(cause)) return;
      const what = `Sink ${name} nacked a value, which is not sent to it again`;
      monitor.report({
        what: 'tee.refused',
        about: name,
        message: sentence(`${what}: ${describeError(cause)}`),
        addition: `${what}, because of ${shortName(cause)}.`,
        cause,
      });
    });
  }

  give(delivery: Delivery<T>): void {
    if (this.#outlet.isOpen && !this.#ackers.isFull) {
      this.#isSkipping = false;
      this.#outlet.give(this.#ackers.spare(delivery));
      return;
    }
    this.#skipped.add(1);
    if (!this.#isSkipping && this.#outlet.isOpen) this.#tellSkipping();
    this.#isSkipping = true;
  }
}
