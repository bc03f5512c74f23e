import type { WindowLimits } from '../../backpressure/in-flight-window.js';
import { defaultMonitor, type Monitor } from '../../core/monitor.js';
import {
  expectMs,
  expectOneOf,
  expectOption,
  expectText,
  expectWhole,
  groupWithDefaults,
  withDefaults,
} from '../../core/options.js';
import { MiB } from '../../core/units.js';
import type { RedeliverOptions } from '../../offsets/nack-policy.js';
import type { OffsetStore } from '../../offsets/offset-store.js';
import type { GroupProtocol, KafkaSubscription, StartAt } from '../../ports/kafka-consumer.js';
import type { CommitOptions } from './commit-scheduler.js';

export interface KafkaSourceOptions {
  /** Topic names, or a pattern that names are matched against. */
  readonly topics: readonly string[] | RegExp;
  readonly groupId: string;
  /** Where to start in a topic of which the group has no committed offset. Default `earliest`. */
  readonly startAt?: StartAt;
  /**
   * Asked at each assignment, and before a nacked record is read again; believed instead of the group's committed
   * offsets. `lake.offsetStore` of the file sink that the flow ends in makes its files exactly-once.
   */
  readonly resumeFrom?: OffsetStore;
  /** The most that is out and not released. Default 100,000 records and 64 MiB. */
  readonly window?: Partial<WindowLimits>;
  /** The most records that would be redelivered after a crash; reaching it asks the sinks to settle. Default 20,000,000. */
  readonly maxUnacked?: number;
  /** Default every 100,000 acks or 1,000 ms. */
  readonly commit?: Partial<CommitOptions>;
  /** Default 10 times in a row, from 1,000 ms to 30,000 ms apart. */
  readonly redeliver?: Partial<RedeliverOptions>;
  /** The longest a drain waits for what is out. Default 30,000. */
  readonly drainTimeoutMs?: number;
  /** The longest a rebalance is held up to settle and commit what is out; under the driver's rebalance timeout. Default 20,000. */
  readonly revokeTimeoutMs?: number;
  /** The most one fetch brings of one partition. Default 1 MiB. */
  readonly maxPartitionBytes?: number;
  /** The longest the broker waits to fill a fetch. Default 200. */
  readonly maxWaitMs?: number;
  /** After how long without a heartbeat the broker gives our partitions away. Default 30,000. */
  readonly sessionTimeoutMs?: number;
  /**
   * How the group shares its partitions out. `consumer`: the broker does, and a change moves only the partitions that move (Kafka 4.0,
   * KIP-848); `classic`: a change takes all partitions away from all members; `auto`: `consumer` where the brokers offer it and no
   * member of the group speaks the classic protocol. Default `classic`.
   */
  readonly protocol?: GroupProtocol;
  /**
   * A name of this process that outlives it (`group.instance.id`): who is back within the session timeout has its partitions again, and
   * no other member stops. Each process needs one of its own.
   */
  readonly groupInstanceId?: string;
  readonly monitor?: Monitor;
}

/** The defaults of `kafkaSource`. */
export const KAFKA_SOURCE_DEFAULTS = {
  startAt: 'earliest',
  window: { count: 100_000, bytes: 64 * MiB },
  maxUnacked: 20_000_000,
  commit: { count: 100_000, intervalMs: 1_000 },
  redeliver: { maxAttempts: 10, firstDelayMs: 1_000, maxDelayMs: 30_000 },
  drainTimeoutMs: 30_000,
  revokeTimeoutMs: 20_000,
  maxPartitionBytes: MiB,
  maxWaitMs: 200,
  sessionTimeoutMs: 30_000,
  protocol: 'classic',
  monitor: defaultMonitor,
} as const satisfies Partial<KafkaSourceOptions>;

export type CheckedOptions = ReturnType<typeof checkOptions>;

/** Fills in the defaults and checks all of it, once, also against the rebalance timeout that the driver gave its group. Throws `OptionError`. */
export function checkOptions(given: KafkaSourceOptions, rebalanceTimeoutMs = Number.POSITIVE_INFINITY) {
  const options = {
    ...withDefaults('kafkaSource options', KAFKA_SOURCE_DEFAULTS, given, [
      'topics',
      'groupId',
      'resumeFrom',
      'groupInstanceId',
    ]),
    resumeFrom: given.resumeFrom,
    groupInstanceId: given.groupInstanceId,
    window: groupWithDefaults('window', KAFKA_SOURCE_DEFAULTS.window, given.window),
    commit: groupWithDefaults('commit', KAFKA_SOURCE_DEFAULTS.commit, given.commit),
    redeliver: groupWithDefaults('redeliver', KAFKA_SOURCE_DEFAULTS.redeliver, given.redeliver),
  };
  const { topics } = options;
  const areNames = Array.isArray(topics) && topics.length > 0 && topics.every((topic) => /^[\w.-]{1,249}$/.test(topic));
  expectOption(
    'topics',
    topics,
    topics instanceof RegExp || areNames,
    'a pattern, or topic names (letters, digits, `.`, `_`, `-`)',
  );
  expectText('groupId', options.groupId);
  expectOneOf('startAt', options.startAt, ['earliest', 'latest']);
  if (options.resumeFrom !== undefined) {
    expectOption('resumeFrom', options.resumeFrom, typeof options.resumeFrom === 'function', 'a function');
  }
  expectWhole('window.count', options.window.count, 1);
  expectWhole('window.bytes', options.window.bytes, 1);
  expectWhole('maxUnacked', options.maxUnacked, 1, 2 ** 31 - 1);
  expectWhole('commit.count', options.commit.count, 1);
  expectMs('commit.intervalMs', options.commit.intervalMs, 1);
  expectWhole('redeliver.maxAttempts', options.redeliver.maxAttempts, 0);
  expectMs('redeliver.firstDelayMs', options.redeliver.firstDelayMs);
  expectMs('redeliver.maxDelayMs', options.redeliver.maxDelayMs);
  expectMs('drainTimeoutMs', options.drainTimeoutMs, 1);
  expectMs('revokeTimeoutMs', options.revokeTimeoutMs, 1);
  // Who takes longer is thrown out of the group, and what it settled meanwhile can no longer be committed.
  const isInTime = options.revokeTimeoutMs < rebalanceTimeoutMs;
  expectOption(
    'revokeTimeoutMs',
    options.revokeTimeoutMs,
    isInTime,
    `under the driver's rebalance timeout, ${rebalanceTimeoutMs}`,
  );
  expectWhole('maxPartitionBytes', options.maxPartitionBytes, 1, 2 ** 31 - 1);
  expectMs('maxWaitMs', options.maxWaitMs, 1);
  expectMs('sessionTimeoutMs', options.sessionTimeoutMs, 1);
  expectOneOf('protocol', options.protocol, ['auto', 'consumer', 'classic']);
  if (options.groupInstanceId !== undefined) expectText('groupInstanceId', options.groupInstanceId);
  expectOption('monitor', options.monitor, typeof options.monitor?.metric === 'function', 'a Monitor');
  return options;
}

/** What the driver is asked for. */
export function subscriptionOf(options: CheckedOptions): KafkaSubscription {
  const { topics, groupId, startAt, maxPartitionBytes, maxWaitMs, revokeTimeoutMs, sessionTimeoutMs } = options;
  const { protocol, groupInstanceId } = options;
  return {
    ...{ topics, groupId, startAt, maxPartitionBytes, maxWaitMs, revokeTimeoutMs, sessionTimeoutMs, protocol },
    ...(groupInstanceId !== undefined && { groupInstanceId }),
  };
}
