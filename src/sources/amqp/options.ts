import { BACKOFF_DEFAULTS, type BackoffOptions, expectBackoff } from '../../backpressure/backoff.js';
import type { Location } from '../../core/location.js';
import { defaultMonitor, type Monitor } from '../../core/monitor.js';
import {
  expectKnown,
  expectMs,
  expectOneOf,
  expectOption,
  expectText,
  expectWhole,
  groupWithDefaults,
  withDefaults,
} from '../../core/options.js';
import type { RedeliverOptions } from '../../offsets/nack-policy.js';
import type { AmqpConsumerDriver, AmqpQueueDeclaration, AmqpTable } from '../../ports/amqp-consumer.js';
import type { AckOptions } from './acks.js';

/** How a channel that was lost is opened anew. */
export interface ReconnectOptions extends BackoffOptions {
  /** The most attempts in a row to open another; then the stream fails. Default 10. */
  readonly maxAttempts?: number;
}

/** What the sources of queues and of streams have in common. */
export interface AmqpReadOptions {
  /** The names of the queues. */
  readonly queues: readonly string[];
  /**
   * Names the broker or the virtual host in the streams, `amqp:<name>/<queue>`, where one sink takes from several of them.
   * Default: `amqp:<queue>`.
   */
  readonly name?: string;
  /** Declares each queue before. Without it the queues must be there. */
  readonly declare?: AmqpQueueDeclaration;
  /** Of the consumers, such as `x-priority`. */
  readonly consumerArguments?: AmqpTable;
  /** When acks are sent. Default at 500, or a quarter of the prefetch where that is less, and after 10 ms. */
  readonly ack?: AckOptions;
  /** Default 10 times in a row, from 1,000 ms to 30,000 ms apart. */
  readonly redeliver?: Partial<RedeliverOptions>;
  /** How a channel that was lost is opened anew. Default 10 times in a row, from 500 ms to 30,000 ms apart. */
  readonly reconnect?: ReconnectOptions;
  /** The longest a drain waits for what is out. Default 30,000. */
  readonly drainTimeoutMs?: number;
  readonly monitor?: Monitor;
}

export interface AmqpSourceOptions extends AmqpReadOptions {
  /** The most messages of each queue that are out and not settled, 1 to 65,535. Default 1,000. */
  readonly prefetch?: number;
  /**
   * How long a message may be out before the holders are asked to make durable what they hold, in milliseconds. Well under
   * the broker's `consumer_timeout`, 30 minutes by default, at which it closes the channel. Default 900,000.
   */
  readonly settleAfterMs?: number;
  /**
   * What happens to a message that is nacked for good, or too often. `stop`: the source stops, and the message goes back.
   * `deadLetter`: the broker gives it to the queue's dead-letter exchange, or drops it where the queue has none.
   * Default `stop`.
   */
  readonly whenNacked?: 'stop' | 'deadLetter';
  /**
   * How often a message may go back to its queue: its `x-delivery-limit`, at which the broker takes it away. Default: as
   * declared, else 20 for a quorum queue, as RabbitMQ 4 has it, and no limit for a classic one.
   */
  readonly deliveryLimit?: number;
}

/** What both sources have as default. */
export const AMQP_READ_DEFAULTS = {
  ack: { count: 500, intervalMs: 10 },
  redeliver: { maxAttempts: 10, firstDelayMs: 1_000, maxDelayMs: 30_000 },
  reconnect: { ...BACKOFF_DEFAULTS, maxAttempts: 10 },
  drainTimeoutMs: 30_000,
  monitor: defaultMonitor,
} as const satisfies Partial<AmqpReadOptions>;

/** The defaults of `amqpSource`. */
export const AMQP_SOURCE_DEFAULTS = {
  ...AMQP_READ_DEFAULTS,
  prefetch: 1_000,
  settleAfterMs: 900_000,
  whenNacked: 'stop',
} as const satisfies Partial<AmqpSourceOptions>;

export type CheckedReadOptions = ReturnType<typeof checkReadOptions<Filled>>;
export type CheckedOptions = ReturnType<typeof checkOptions>;

/** The options that have no default. */
export const WITHOUT_DEFAULT = ['queues', 'name', 'declare', 'consumerArguments'];

/** The longest name that fits into a frame's short string. */
const LONGEST_NAME = 255;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions(given: AmqpSourceOptions) {
  const others = [...WITHOUT_DEFAULT, 'deliveryLimit'];
  const options = checkReadOptions(withDefaults('amqpSource options', AMQP_SOURCE_DEFAULTS, given, others));
  const { settleAfterMs, whenNacked, deliveryLimit, declare } = options;
  expectMs('settleAfterMs', settleAfterMs, 1);
  expectOneOf('whenNacked', whenNacked, ['stop', 'deadLetter']);
  if (deliveryLimit !== undefined) expectWhole('deliveryLimit', deliveryLimit, 0);
  if (declare !== undefined) expectOneOf('declare.kind', declare.kind, ['classic', 'quorum']);
  return options;
}

type Filled = AmqpReadOptions & {
  readonly prefetch: number;
  readonly drainTimeoutMs: number;
  readonly monitor: Monitor;
};

/** Fills in the groups, and checks what both sources have in common. */
export function checkReadOptions<O extends Filled>(filled: O) {
  const options = {
    ...filled,
    ack: groupWithDefaults('ack', AMQP_READ_DEFAULTS.ack, filled.ack),
    redeliver: groupWithDefaults('redeliver', AMQP_READ_DEFAULTS.redeliver, filled.redeliver),
    reconnect: groupWithDefaults('reconnect', AMQP_READ_DEFAULTS.reconnect, filled.reconnect),
  };
  const { queues, name, declare, consumerArguments, ack, redeliver, reconnect } = options;
  const isName = (one: unknown) => typeof one === 'string' && one.length > 0 && Buffer.byteLength(one) <= LONGEST_NAME;
  const areNames = Array.isArray(queues) && queues.length > 0 && queues.every(isName);
  expectOption('queues', queues, areNames, 'names of queues, of 1 to 255 bytes');
  expectOption('queues', queues, new Set(queues).size === queues.length, 'names that differ');
  if (name !== undefined) expectText('name', name);
  if (declare !== undefined) {
    expectKnown('declare', declare, ['kind', 'arguments', 'exchanges', 'bindings']);
  }
  if (consumerArguments !== undefined) {
    expectOption('consumerArguments', consumerArguments, typeof consumerArguments === 'object', 'an object');
    const isFree = !('x-stream-offset' in (consumerArguments as object));
    expectOption('consumerArguments', consumerArguments, isFree, 'without `x-stream-offset`: see `startAt`');
  }
  expectWhole('prefetch', options.prefetch, 1, 65_535);
  expectWhole('ack.count', ack.count, 1);
  expectMs('ack.intervalMs', ack.intervalMs, 1);
  expectWhole('redeliver.maxAttempts', redeliver.maxAttempts, 0);
  expectMs('redeliver.firstDelayMs', redeliver.firstDelayMs);
  expectMs('redeliver.maxDelayMs', redeliver.maxDelayMs);
  expectWhole('reconnect.maxAttempts', reconnect.maxAttempts, 0);
  expectBackoff(reconnect, 'reconnect');
  expectMs('drainTimeoutMs', options.drainTimeoutMs, 1);
  expectOption('monitor', options.monitor, typeof options.monitor?.metric === 'function', 'a Monitor');
  return options;
}

/** The name of the stream that the messages of a queue are. */
export function streamOf(queue: string, name: string | undefined): string {
  return name === undefined ? `amqp:${queue}` : `amqp:${name}/${queue}`;
}

/** What a source of RabbitMQ says it reads from. */
export function readsFrom(driver: AmqpConsumerDriver, queues: readonly string[]): Location {
  return { kind: 'RabbitMQ queue', addresses: driver.addresses ?? [driver.name], names: queues };
}
