import type { WindowLimits } from '../../backpressure/in-flight-window.js';
import { defaultMonitor, type Monitor } from '../../core/monitor.js';
import { expectMs, expectOption, expectText, expectWhole, groupWithDefaults } from '../../core/options.js';
import { MiB } from '../../core/units.js';

/** What every source that listens can be given. */
export interface ListeningOptions {
  /** Names the stream, as `http:<name>`, and with it the files and metrics made of it. */
  readonly name: string;
  /** The most that is out and not released. Default 100,000 values and 64 MiB. */
  readonly window?: Partial<WindowLimits>;
  /** How long a value waits before its holders are asked to make durable what they hold, in milliseconds. Default 1,000. */
  readonly settleAfterMs?: number;
  /** The longest a drain waits for what is out. Default 30,000. */
  readonly drainTimeoutMs?: number;
  readonly monitor?: Monitor;
}

/** Their defaults, a part of each source's own. */
export const LISTENING = {
  window: { count: 100_000, bytes: 64 * MiB },
  settleAfterMs: 1_000,
  drainTimeoutMs: 30_000,
  monitor: defaultMonitor,
} as const;

export interface CheckedListening {
  readonly name: string;
  readonly window: WindowLimits;
  readonly settleAfterMs: number;
  readonly drainTimeoutMs: number;
  readonly monitor: Monitor;
}

/** Checks them over their defaults. Throws `OptionError`. */
export function checkListening<O extends Omit<CheckedListening, 'window'> & { readonly window: Partial<WindowLimits> }>(
  options: O,
): O & CheckedListening {
  const window = groupWithDefaults('window', LISTENING.window, options.window);
  expectText('name', options.name);
  expectWhole('window.count', window.count, 1);
  expectWhole('window.bytes', window.bytes, 1);
  expectMs('settleAfterMs', options.settleAfterMs, 1);
  expectMs('drainTimeoutMs', options.drainTimeoutMs, 1);
  expectOption('monitor', options.monitor, typeof options.monitor?.metric === 'function', 'a Monitor');
  return { ...options, window };
}
