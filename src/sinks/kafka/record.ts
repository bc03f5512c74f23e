import { describeValue, SinkError } from '../../core/errors.js';
import { type HeaderList, type HeaderMap, toHeaderList } from '../../core/headers.js';
import { isWellFormed } from '../../core/text.js';
import type { Delivery, Origin } from '../../delivery/delivery.js';
import { nackErrorOfThrown } from '../../delivery/nack-errors.js';
import type { KafkaOutgoing } from '../../ports/kafka-producer.js';
import { type CheckedOptions, isSchemaEncoder, isTopicName, type KafkaBytes } from './options.js';

const NO_HEADERS: HeaderList = [];

/** Makes the record of a delivery. */
export type MakeRecord<T> = (delivery: Delivery<T>) => KafkaOutgoing;

/**
 * How records are made: what is not mapped is the origin's, so that a record from Kafka keeps its key, headers and time.
 *
 * Fails: `RXF_SINK_FORMAT` where a function throws, or answers what cannot be written.
 */
export function recordMaker<T>({
  topic,
  encode,
  key,
  headers,
  timestamp,
  partition,
}: CheckedOptions<T>): MakeRecord<T> {
  return (delivery) => {
    const { value, origin } = delivery;
    let step = 'topic';
    try {
      const toTopic = typeof topic === 'string' ? topic : topicFrom(topic(value, delivery));
      step = 'partition';
      const toPartition = partition === undefined ? null : wholeOrNull('partition', partition(value, delivery));
      step = 'key';
      const ofKey = key === undefined ? (origin.key ?? null) : bytesOf('key', key(value, delivery));
      step = 'encode';
      const bytes = isSchemaEncoder(encode)
        ? encode.encode(toTopic, value)
        : bytesOf('value', encode === undefined ? (value as KafkaBytes) : encode(value, delivery));
      step = 'headers';
      const given = headers === undefined ? headersOf(origin) : asList(headers(value, delivery));
      const list = isSchemaEncoder(encode) ? withSchema(given, encode.header(toTopic), bytes) : given;
      step = 'timestamp';
      const at = timestamp === undefined ? timeOf(origin) : wholeOrNull('timestamp', timestamp(value, delivery));
      return { topic: toTopic, partition: toPartition, key: ofKey, value: bytes, headers: list, timestamp: at };
    } catch (cause) {
      throw nackErrorOfThrown(`${step} of kafkaSink`, cause, delivery, 'RXF_SINK_FORMAT');
    }
  };
}

/** How much of memory a record is. */
export function recordBytes({ key, value }: KafkaOutgoing): number {
  return (key?.length ?? 0) + (value?.length ?? 0);
}

const SCHEMA_HEADER = '__value_schema_id';

/** The header of the schema that the value has now: what came with the origin named another, and readers look there first. */
function withSchema(
  list: HeaderList,
  header: readonly [string, Uint8Array] | undefined,
  value: Uint8Array | null,
): HeaderList {
  const others = list.some(([name]) => name === SCHEMA_HEADER) ? list.filter(([name]) => name !== SCHEMA_HEADER) : list;
  return header === undefined || value === null ? others : [...others, header];
}

function headersOf({ headerList, headers }: Origin): HeaderList {
  return headerList ?? (headers === undefined ? NO_HEADERS : toHeaderList(headers));
}

function asList(given: HeaderMap | HeaderList): HeaderList {
  const list = Array.isArray(given) ? (given as HeaderList) : toHeaderList(given as HeaderMap);
  for (const [name, value] of list) {
    if (typeof name !== 'string' || !isWellFormed(name))
      throw formatError(`A header's name is ${describeValue(name)}.`);
    if (value === null || value instanceof Uint8Array) continue;
    throw formatError(`Header ${describeValue(name)} must be bytes or null, got \`${describeValue(value)}\`.`);
  }
  return list;
}

/** Kafka has records without a time, as −1. */
function timeOf({ timestamp }: Origin): number | null {
  if (timestamp === undefined || Number.isSafeInteger(timestamp))
    return timestamp === undefined || timestamp < 0 ? null : timestamp;
  throw formatError(
    `The time of the value is ${describeValue(timestamp)}, and Kafka keeps whole milliseconds since 1970. Give \`timestamp\`, such as ` +
      '`timestamp: () => null` for the time of writing.',
  );
}

function bytesOf(what: string, given: KafkaBytes): Uint8Array | null {
  if (given === null || given instanceof Uint8Array) return given;
  if (typeof given === 'string') {
    if (isWellFormed(given)) return Buffer.from(given);
    throw formatError(
      `A record's ${what} has an unpaired surrogate, which UTF-8 cannot hold: ${describeValue(given)}. ` +
        'Escape it, as `JSON.stringify` does, or give bytes.',
    );
  }
  const advice = what === 'value' ? ' Give `encode`, such as `encode: jsonText`.' : '';
  throw formatError(`A record's ${what} must be bytes, a text or null, got \`${describeValue(given)}\`.${advice}`);
}

function topicFrom(given: unknown): string {
  if (isTopicName(given)) return given;
  throw formatError(`\`topic\` answered \`${describeValue(given)}\`, which is no name of a topic.`);
}

function wholeOrNull(what: string, given: unknown): number | null {
  if (given === null || (Number.isSafeInteger(given) && Number(given) >= 0)) return given as number | null;
  throw formatError(
    `\`${what}\` answered \`${describeValue(given)}\`, which is no whole number from 0 on, and not null.`,
  );
}

function formatError(message: string): SinkError {
  return new SinkError('RXF_SINK_FORMAT', message);
}
