import { BACKOFF_DEFAULTS, type BackoffOptions, expectBackoff } from '../../backpressure/backoff.js';
import { defaultMonitor, type Monitor } from '../../core/monitor.js';
import {
  expectMs,
  expectOneOf,
  expectOption,
  expectWhole,
  groupWithDefaults,
  withDefaults,
} from '../../core/options.js';
import { MiB } from '../../core/units.js';

/**
 * Which agent a batch goes to. `failover`: the first in the list that can be reached; another only while that one cannot.
 * `balance`: of those that can be reached, the one with the least under way.
 */
export type FlumeStrategy = 'failover' | 'balance';

/**
 * `stream`: one batch of a stream is under way at a time, so that each stream keeps its order, and what is nacked was not
 * overtaken: it is redelivered without what is behind it. `none`: as many as there is room for, for one fast stream.
 */
export type FlumeOrder = 'stream' | 'none';

export interface FlumeBatchOptions {
  /** Sent when it has so many events; at most the `transactionCapacity` of the agent's channel. Default 100. */
  readonly count?: number;
  /** Sent before it has more bytes, headers included; a larger event goes alone. Default 1 MiB. */
  readonly bytes?: number;
  /** The longest its first event waits, in milliseconds. Default 200. */
  readonly maxWaitMs?: number;
}

/** How long an agent that failed is left alone: the waits double at each further failure. */
export interface FlumeRetryOptions extends BackoffOptions {
  /**
   * After so many failures in a row of every agent, what waits is nacked, and so is a batch that was lost that often.
   * Default 5.
   */
  readonly maxAttempts?: number;
}

export interface FlumeSinkOptions {
  readonly batch?: FlumeBatchOptions;
  /** Default `failover`. */
  readonly strategy?: FlumeStrategy;
  /** Default `stream`. */
  readonly order?: FlumeOrder;
  /** The most connections to one agent. Default 2. */
  readonly connections?: number;
  /** The most batches under way on one connection. Default 4. */
  readonly maxInFlight?: number;
  readonly retry?: FlumeRetryOptions;
  readonly monitor?: Monitor;
}

/** The defaults of `flumeSink`. */
export const FLUME_SINK_DEFAULTS = {
  batch: { count: 100, bytes: MiB, maxWaitMs: 200 },
  strategy: 'failover',
  order: 'stream',
  connections: 2,
  maxInFlight: 4,
  retry: { ...BACKOFF_DEFAULTS, maxAttempts: 5 },
  monitor: defaultMonitor,
} as const satisfies FlumeSinkOptions;

export type CheckedOptions = ReturnType<typeof checkOptions>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions(given: FlumeSinkOptions) {
  const options = {
    ...withDefaults('flumeSink options', FLUME_SINK_DEFAULTS, given),
    batch: groupWithDefaults('batch', FLUME_SINK_DEFAULTS.batch, given.batch),
    retry: groupWithDefaults('retry', FLUME_SINK_DEFAULTS.retry, given.retry),
  };
  const { batch, retry } = options;
  expectWhole('batch.count', batch.count, 1);
  expectWhole('batch.bytes', batch.bytes, 1);
  expectMs('batch.maxWaitMs', batch.maxWaitMs, 1);
  expectOneOf('strategy', options.strategy, ['failover', 'balance']);
  expectOneOf('order', options.order, ['stream', 'none']);
  expectWhole('connections', options.connections, 1, 1_000);
  expectWhole('maxInFlight', options.maxInFlight, 1, 1_000);
  expectWhole('retry.maxAttempts', retry.maxAttempts, 1);
  expectBackoff(retry, 'retry');
  expectOption('monitor', options.monitor, typeof options.monitor?.metric === 'function', 'a Monitor');
  return options;
}
