import type { WindowLimits } from '../../backpressure/in-flight-window.js';
import { defaultMonitor, type Monitor } from '../../core/monitor.js';
import {
  expectMs,
  expectOption,
  expectText,
  expectWhole,
  groupWithDefaults,
  withDefaults,
} from '../../core/options.js';
import { MiB } from '../../core/units.js';

export interface FlumeSourceOptions {
  /** Names the stream, `flume:<name>`, and with it the files and metrics made of it. */
  readonly name: string;
  /** The most that is out and not released; while it is full, clients wait for their answers. Default 100,000 events and 64 MiB. */
  readonly window?: Partial<WindowLimits>;
  /**
   * How long a client waits for an answer before the holders are asked to make durable what they hold, in milliseconds.
   * Well under the clients' `request-timeout`, after which they send again. Default 1,000.
   */
  readonly settleAfterMs?: number;
  /** The longest a drain waits for what is out. Default 30,000. */
  readonly drainTimeoutMs?: number;
  readonly monitor?: Monitor;
}

/** The defaults of `flumeSource`. */
export const FLUME_SOURCE_DEFAULTS = {
  window: { count: 100_000, bytes: 64 * MiB },
  settleAfterMs: 1_000,
  drainTimeoutMs: 30_000,
  monitor: defaultMonitor,
} as const satisfies Partial<FlumeSourceOptions>;

export type CheckedOptions = ReturnType<typeof checkOptions>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions(given: FlumeSourceOptions) {
  const options = {
    ...withDefaults('flumeSource options', FLUME_SOURCE_DEFAULTS, given, ['name']),
    window: groupWithDefaults('window', FLUME_SOURCE_DEFAULTS.window, given.window),
  };
  expectText('name', options.name);
  expectWhole('window.count', options.window.count, 1);
  expectWhole('window.bytes', options.window.bytes, 1);
  expectMs('settleAfterMs', options.settleAfterMs, 1);
  expectMs('drainTimeoutMs', options.drainTimeoutMs, 1);
  expectOption('monitor', options.monitor, typeof options.monitor?.metric === 'function', 'a Monitor');
  return options;
}
