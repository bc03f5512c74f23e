import { jsonText } from '../../core/json-text.js';
import { defaultMonitor, type Monitor } from '../../core/monitor.js';
import { expectOneOf, expectOption, withDefaults } from '../../core/options.js';
import type { Delivery } from '../../delivery/delivery.js';
import { inspectText } from '../../formats/inspect-text.js';

export interface ConsoleSinkOptions<T = unknown> {
  /**
   * `inspect`: as Node shows a value to people, on one line; bytes as text. `json`: its JSON text. Or a function that gives
   * the text; what it throws refuses that value alone. Default `inspect`.
   */
  readonly format?: 'inspect' | 'json' | ((value: T, delivery: Delivery<T>) => string);
  readonly monitor?: Monitor;
}

export const CONSOLE_SINK_DEFAULTS = {
  format: 'inspect',
  monitor: defaultMonitor,
} as const satisfies ConsoleSinkOptions;

export interface CheckedOptions<T> {
  readonly textOf: (value: T, delivery: Delivery<T>) => string;
  readonly monitor: Monitor;
}

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions<T>(given: ConsoleSinkOptions<T>): CheckedOptions<T> {
  const { format, monitor } = withDefaults('consoleSink options', CONSOLE_SINK_DEFAULTS, given);
  expectOption('monitor', monitor, typeof monitor?.metric === 'function', 'a Monitor');
  if (typeof format === 'function') return { textOf: format, monitor };
  expectOneOf('format', format, ['inspect', 'json']);
  return { textOf: format === 'json' ? jsonText : inspectText, monitor };
}
