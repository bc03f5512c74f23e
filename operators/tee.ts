import { EMPTY, throwError } from 'rxjs';
import type { WindowLimits } from '../src/backpressure/in-flight-window.js';
import { defaultMonitor, type Monitor, withCause } from '../src/core/monitor.js';
import { expectKnown, expectOption, expectWhole, groupWithDefaults } from '../src/core/options.js';
import { MiB } from '../src/core/units.js';
import { type Branch, expectBranches, intoBranches, type Outlet } from '../src/delivery/branches.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { deliveryOperator, type SettlingOperator } from '../src/delivery/delivery-operator.js';
import { FanOutAckers } from '../src/delivery/fan-out-acker.js';
import { MAX_PARTIES } from '../src/delivery/fan-out-state.js';
import { OptionalSink } from '../src/delivery/optional-sink.js';

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

/** The defaults of `tee`. */
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
 * metric `rxflume_tee_skipped_total` counts it.
 * Fails: with the first error of a required sink; an optional one that fails is no longer used, with a log event.
 */
export function tee<T, R, K extends string>(
  sinks: Readonly<Record<K, Branch<T, R>>>,
  options: TeeOptions<NoInfer<K>> = {},
): SettlingOperator<T, R> {
  expectKnown('tee options', options, ['required', 'spare', 'monitor']);
  const names = expectBranches('sinks', sinks, MAX_PARTIES) as K[];
  const required = options.required ?? names;
  const areNames = Array.isArray(required) && required.length > 0 && required.every((name) => names.includes(name));
  expectOption('required', required, areNames, `some of ${names.join(', ')}`);
  const spare = groupWithDefaults('spare', TEE_DEFAULTS.spare, options.spare);
  expectWhole('spare.count', spare.count, 1);
  expectWhole('spare.bytes', spare.bytes, 1);
  const { monitor = TEE_DEFAULTS.monitor } = options;
  expectOption('monitor', monitor, typeof monitor?.metric === 'function', 'a Monitor');

  const needed = names.filter((name) => required.includes(name));
  const optional = names.filter((name) => !needed.includes(name));
  const branches = [...needed, ...optional].map((name): Branch<T, R> => sinks[name]);
  const begin = (outlets: readonly Outlet<T>[]) => {
    const shared = new FanOutAckers(needed.length);
    const outletAt = (at: number) => outlets[at] as Outlet<T>;
    const spares = optional.map((name, at) => new OptionalSink(name, outletAt(needed.length + at), spare, monitor));
    return (delivery: Delivery<T>) => {
      // First, since its copy must be made before the required sinks may settle the original.
      for (const one of spares) one.give(delivery);
      for (const [at, part] of shared.share(delivery).entries()) outletAt(at).give(part);
    };
  };
  const failed = (at: number, error: unknown) => {
    const name = optional[at - needed.length];
    if (name === undefined) return throwError(() => error);
    monitor.report({ what: 'tee.left-out', ...withCause(`Sink ${name} is no longer used`, error) });
    return EMPTY;
  };
  return deliveryOperator('tee', 'kept', intoBranches(branches, begin, failed), sinks);
}
