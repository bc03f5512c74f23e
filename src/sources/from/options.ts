import type { WindowLimits } from '../../backpressure/in-flight-window.js';
import type { HeaderMap } from '../../core/headers.js';
import { defaultMonitor, type Monitor } from '../../core/monitor.js';
import {
  expectFunction,
  expectMs,
  expectOneOf,
  expectOption,
  expectText,
  expectWhole,
  groupWithDefaults,
  withDefaults,
} from '../../core/options.js';
import { MiB } from '../../core/units.js';

/**
 * What happens when more waits than `waiting` allows: `fail` drains and ends with `RXF_SOURCE_OVERFLOW`; the others drop the
 * value that came last, or the one that waits longest, and count it.
 */
export type OverflowPolicy = 'fail' | 'dropNewest' | 'dropOldest';

/** What a source that emits by itself knows of one value. */
export interface ValueFacts {
  /** Milliseconds since 1970. */
  readonly timestamp?: number;
  readonly key?: Uint8Array | null;
  readonly headers?: HeaderMap;
}

export interface FromOptions<T> {
  /** Names the stream, `from:<name>`, and with it the files and metrics made of it. */
  readonly name: string;
  /** The most that is out and not released. Default 100,000 values and 64 MiB. */
  readonly window?: Partial<WindowLimits>;
  /** The most that waits here while the window is full, of a source that cannot be paused. Default 10,000 values and 16 MiB. */
  readonly waiting?: Partial<WindowLimits>;
  /** What happens beyond that. Default `fail`. */
  readonly overflow?: OverflowPolicy;
  /** The most values that are out and not settled; reaching it asks the sinks to settle. Default 1,000,000. */
  readonly maxUnacked?: number;
  /** How many bytes a value takes. Default its length where it is bytes, twice that of a text, else 1,024. */
  readonly sizeOf?: (input: T) => number;
  /** The time, key and headers of a value. Default none. */
  readonly factsOf?: (input: T) => ValueFacts;
  /** Called once when a value is durable. What it throws, or rejects with, ends the source. */
  readonly onAck?: (input: T) => unknown;
  /** Called once when a value was nacked or dropped; it must be redelivered, or given up. Default: a nack ends the source. */
  readonly onNack?: (input: T, cause: unknown) => unknown;
  /** The longest a drain waits for what is out. Default 30,000. */
  readonly drainTimeoutMs?: number;
  readonly monitor?: Monitor;
}

/** The defaults of `fromObservable$`, `fromCallback` and `fromReadable`. */
export const FROM_DEFAULTS = {
  window: { count: 100_000, bytes: 64 * MiB },
  waiting: { count: 10_000, bytes: 16 * MiB },
  overflow: 'fail',
  maxUnacked: 1_000_000,
  drainTimeoutMs: 30_000,
  monitor: defaultMonitor,
} as const satisfies Partial<FromOptions<unknown>>;

export type CheckedOptions<T> = ReturnType<typeof checkOptions<T>>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions<T>(given: FromOptions<T>) {
  const callbacks = ['sizeOf', 'factsOf', 'onAck', 'onNack'] as const;
  const options = {
    ...withDefaults('from options', FROM_DEFAULTS, given, ['name', ...callbacks]),
    window: groupWithDefaults('window', FROM_DEFAULTS.window, given.window),
    waiting: groupWithDefaults('waiting', FROM_DEFAULTS.waiting, given.waiting),
  };
  expectText('name', options.name);
  expectWhole('window.count', options.window.count, 1);
  expectWhole('window.bytes', options.window.bytes, 1);
  expectWhole('waiting.count', options.waiting.count, 1);
  expectWhole('waiting.bytes', options.waiting.bytes, 1);
  expectOneOf('overflow', options.overflow, ['fail', 'dropNewest', 'dropOldest']);
  expectWhole('maxUnacked', options.maxUnacked, 1, 2 ** 31 - 1);
  for (const callback of callbacks) if (given[callback] !== undefined) expectFunction(callback, given[callback]);
  expectMs('drainTimeoutMs', options.drainTimeoutMs, 1);
  expectOption('monitor', options.monitor, typeof options.monitor?.metric === 'function', 'a Monitor');
  return options;
}

/** The bytes that a value takes, where nothing else is said. */
export function sizeOfValue(value: unknown): number {
  if (value instanceof Uint8Array) return value.byteLength;
  return typeof value === 'string' ? value.length * 2 : 1_024;
}
