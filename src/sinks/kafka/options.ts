import type { HeaderList, HeaderMap } from '../../core/headers.js';
import { defaultMonitor, type Monitor } from '../../core/monitor.js';
import {
  expectFunction,
  expectMs,
  expectOneOf,
  expectOption,
  expectWhole,
  groupWithDefaults,
  withDefaults,
} from '../../core/options.js';
import { MiB } from '../../core/units.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { SchemaEncoder } from '../../formats/schema-format.js';
import type { KafkaCompression } from '../../ports/kafka-producer.js';

/** What can be written as it is; null is a tombstone. */
export type KafkaBytes = Uint8Array | string | null;

/** Something of a record, made from the value; its delivery has the origin. */
export type FromValue<T, R> = (value: T, delivery: Delivery<T>) => R;

export interface KafkaBatchOptions {
  /** Sent when it has so many records. Default 10,000. */
  readonly count?: number;
  /** Sent before it has more bytes; a larger record goes alone. Default 1 MiB. */
  readonly bytes?: number;
  /** The longest its first record waits, in milliseconds. Default 20. */
  readonly maxWaitMs?: number;
}

export interface KafkaTransactionOptions {
  /** Committed when it has so many records. Default 100,000. */
  readonly count?: number;
  /** Or so long after its first record, in milliseconds: a reader of committed records waits that long. Default 1,000. */
  readonly intervalMs?: number;
  /** After how long the broker aborts one that is not committed, in milliseconds; above `intervalMs`. Default 60,000. */
  readonly timeoutMs?: number;
  /** What transactional ids begin with, for ACLs; the group and the stream follow. Default `rxflume`. */
  readonly idPrefix?: string;
}

export interface KafkaSinkOptions<T> {
  /** The topic to write to, or which one by the value. */
  readonly topic: string | FromValue<T, string>;
  /**
   * The record's value, or an encoder of a schema registry (`registry(…).encoder(…)`). Default: the value itself, which must be bytes, a text
   * or null.
   */
  readonly encode?: FromValue<T, KafkaBytes> | SchemaEncoder<T>;
  /** The record's key. Default: the origin's. */
  readonly key?: FromValue<T, KafkaBytes>;
  /** The record's headers, by name or as a list of pairs in order. Default: the origin's, in their order. */
  readonly headers?: FromValue<T, HeaderMap | HeaderList>;
  /** Milliseconds since 1970; null: the time of writing. Default: the origin's. */
  readonly timestamp?: FromValue<T, number | null>;
  /** The partition, counted from 0; null: by the key. Default: by the key. */
  readonly partition?: FromValue<T, number | null>;
  readonly batch?: KafkaBatchOptions;
  /** With `resumeFrom: sink.offsetStore` only. */
  readonly transaction?: KafkaTransactionOptions;
  /** Default `none`. */
  readonly compression?: KafkaCompression;
  /** The most bytes of one record, key and headers included; also of one batch for a partition. Default 1,000,000. */
  readonly maxRecordBytes?: number;
  /** How long a batch is tried again before it is nacked, in milliseconds. Default 60,000. */
  readonly sendTimeoutMs?: number;
  readonly monitor?: Monitor;
}

/** The defaults of `kafkaSink`. */
export const KAFKA_SINK_DEFAULTS = {
  batch: { count: 10_000, bytes: MiB, maxWaitMs: 20 },
  transaction: { count: 100_000, intervalMs: 1_000, timeoutMs: 60_000, idPrefix: 'rxflume' },
  compression: 'none',
  maxRecordBytes: 1_000_000,
  sendTimeoutMs: 60_000,
  monitor: defaultMonitor,
} as const satisfies Partial<KafkaSinkOptions<never>>;

export type CheckedOptions<T> = ReturnType<typeof checkOptions<T>>;

/** Whether values are encoded with a schema, whose id may have to be asked for. */
export function isSchemaEncoder<T>(encode: KafkaSinkOptions<T>['encode']): encode is SchemaEncoder<T> {
  return typeof (encode as { readonly pending?: unknown } | undefined)?.pending === 'function';
}

const MAPPINGS = ['encode', 'key', 'headers', 'timestamp', 'partition'] as const;

/** Source: Kafka's Topic.validate. */
export function isTopicName(given: unknown): given is string {
  return typeof given === 'string' && /^[\w.-]{1,249}$/.test(given) && given !== '.' && given !== '..';
}

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions<T>(given: KafkaSinkOptions<T>) {
  const options = {
    ...withDefaults('kafkaSink options', KAFKA_SINK_DEFAULTS, given, ['topic', ...MAPPINGS]),
    batch: groupWithDefaults('batch', KAFKA_SINK_DEFAULTS.batch, given.batch),
    transaction: groupWithDefaults('transaction', KAFKA_SINK_DEFAULTS.transaction, given.transaction),
  };
  const { topic, batch, transaction } = options;
  const isName = isTopicName(topic);
  const rule = 'a topic name (letters, digits, `.`, `_`, `-`), or a function that answers one';
  expectOption('topic', topic, isName || typeof topic === 'function', rule);
  for (const name of MAPPINGS) {
    if (options[name] === undefined || (name === 'encode' && isSchemaEncoder(options.encode))) continue;
    expectFunction(name, options[name]);
  }
  expectWhole('batch.count', batch.count, 1);
  expectWhole('batch.bytes', batch.bytes, 1);
  expectMs('batch.maxWaitMs', batch.maxWaitMs);
  expectWhole('transaction.count', transaction.count, 1);
  expectMs('transaction.intervalMs', transaction.intervalMs, 1);
  expectMs('transaction.timeoutMs', transaction.timeoutMs, 1);
  const isAbove = transaction.timeoutMs > transaction.intervalMs;
  expectOption('transaction.timeoutMs', transaction.timeoutMs, isAbove, 'above `transaction.intervalMs`');
  const isPrefix = typeof transaction.idPrefix === 'string' && /^[\w.-]{1,100}$/.test(transaction.idPrefix);
  expectOption('transaction.idPrefix', transaction.idPrefix, isPrefix, '1 to 100 letters, digits, `.`, `_`, `-`');
  expectOneOf('compression', options.compression, ['none', 'gzip', 'snappy', 'lz4', 'zstd']);
  expectWhole('maxRecordBytes', options.maxRecordBytes, 100, 2 ** 30);
  expectMs('sendTimeoutMs', options.sendTimeoutMs, 1);
  expectOption('monitor', options.monitor, typeof options.monitor?.metric === 'function', 'a Monitor');
  return options;
}
