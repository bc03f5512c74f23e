import { jsonText } from '../../core/json-text.js';
import { defaultMonitor, type Monitor } from '../../core/monitor.js';
import { expectOneOf, expectOption, withDefaults } from '../../core/options.js';
import type { Delivery } from '../../delivery/delivery.js';
import { inspectText } from '../../formats/text.js';

export interface ConsoleSinkOptions<T = unknown> {
  /**
   * `inspect`: as Node shows a value to people, on one line; bytes as text. `json`: its JSON text. Or a function that gives
   * the text; what it throws nacks that value alone. Default `inspect`.
   */
  readonly encode?: 'inspect' | 'json' | ((value: T, delivery: Delivery<T>) => string);
  readonly monitor?: Monitor;
}

/** The defaults of `consoleSink`. */
export const CONSOLE_SINK_DEFAULTS = {
  encode: 'inspect',
  monitor: defaultMonitor,
} as const satisfies ConsoleSinkOptions;

export interface CheckedOptions<T> {
  readonly textOf: (value: T, delivery: Delivery<T>) => string;
  readonly monitor: Monitor;
}

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions<T>(given: ConsoleSinkOptions<T>): CheckedOptions<T> {
  const { encode, monitor } = withDefaults('consoleSink options', CONSOLE_SINK_DEFAULTS, given);
  expectOption('monitor', monitor, typeof monitor?.metric === 'function', 'a Monitor');
  if (typeof encode === 'function') return { textOf: encode, monitor };
  expectOneOf('encode', encode, ['inspect', 'json']);
  return { textOf: encode === 'json' ? jsonText : inspectText, monitor };
}
