import { ConnectError, FencedError, RxflumeError, SinkError } from '../../../core/errors.js';
import { withoutStop } from '../../../core/sentence.js';
import type { TopicPartition } from '../../../ports/kafka-consumer.js';
import type { KafkaOutgoing } from '../../../ports/kafka-producer.js';
import { isAuth, isPassing, reasonOf, type Setting, typeOf } from '../errors.js';
import type { Produced, RejectedRecord } from './producer-requests.js';
import { mostRecordBytes } from './record-writer.js';

/**
 * Whose matter a broker's answer is, and so what has to be done about it.
 * `stored`: nobody's, it is there already. `record`: of one record of the batch, for good; the others can be written.
 * `topic`: of every record for the topic, for good. `partition`: of every record of the batch, for good. `cluster`: of
 * all that is written, for good. `again`: passes; ask again, the same. `lost`: no answer that says whether it was
 * done; to write the same batch again is safe. `sequence`: the broker does not have the sequence, or the transaction, that
 * the producer goes on with. `fenced`: somebody has taken the transactional id.
 */
export type Verdict =
  | 'stored'
  | 'record'
  | 'partition'
  | 'topic'
  | 'cluster'
  | 'again'
  | 'lost'
  | 'sequence'
  | 'fenced';

/** Codes that kafkajs 2.2.4 does not know. */
const LATER_CODES: Readonly<Record<string, string>> = {
  87: 'INVALID_RECORD',
  88: 'UNSTABLE_OFFSET_COMMIT',
  89: 'THROTTLING_QUOTA_EXCEEDED',
  90: 'PRODUCER_FENCED',
  100: 'UNKNOWN_TOPIC_ID',
  103: 'INCONSISTENT_TOPIC_ID',
  120: 'TRANSACTION_ABORTABLE',
};

/**
 * Everything a broker may answer to a write, or to a step of a transaction. What is not here passes where kafkajs says
 * so, and otherwise is the partition's, for good.
 */
const VERDICTS: Readonly<Record<string, Verdict>> = {
  // An answer was lost.
  DUPLICATE_SEQUENCE_NUMBER: 'stored',

  INVALID_RECORD: 'record',
  INVALID_TIMESTAMP: 'record',
  MESSAGE_TOO_LARGE: 'record',
  RECORD_LIST_TOO_LARGE: 'record',
  POLICY_VIOLATION: 'record',

  TOPIC_AUTHORIZATION_FAILED: 'topic',
  INVALID_TOPIC_EXCEPTION: 'topic',
  UNSUPPORTED_FOR_MESSAGE_FORMAT: 'topic',
  UNSUPPORTED_COMPRESSION_TYPE: 'topic',
  INVALID_REQUIRED_ACKS: 'topic',

  CLUSTER_AUTHORIZATION_FAILED: 'cluster',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'cluster',
  GROUP_AUTHORIZATION_FAILED: 'cluster',
  SASL_AUTHENTICATION_FAILED: 'cluster',
  UNSUPPORTED_SASL_MECHANISM: 'cluster',
  ILLEGAL_SASL_STATE: 'cluster',
  SECURITY_DISABLED: 'cluster',
  UNSUPPORTED_VERSION: 'cluster',

  OUT_OF_ORDER_SEQUENCE_NUMBER: 'sequence',
  UNKNOWN_PRODUCER_ID: 'sequence',
  INVALID_TXN_STATE: 'sequence',
  TRANSACTION_ABORTABLE: 'sequence',

  INVALID_PRODUCER_EPOCH: 'fenced',
  PRODUCER_FENCED: 'fenced',
  TRANSACTION_COORDINATOR_FENCED: 'fenced',
  INVALID_PRODUCER_ID_MAPPING: 'fenced',

  // A defect of the broker: it may come before what was asked for, or after.
  UNKNOWN: 'lost',

  BROKER_NOT_AVAILABLE: 'again',
  CONCURRENT_TRANSACTIONS: 'again',
  THROTTLING_QUOTA_EXCEEDED: 'again',
  UNSTABLE_OFFSET_COMMIT: 'again',
  // The topic was made anew; its new id comes with the metadata.
  UNKNOWN_TOPIC_ID: 'again',
  INCONSISTENT_TOPIC_ID: 'again',
};

/** The broker's name for what went wrong; an empty text where it did not come from a broker. */
export function answerOf(error: unknown): string {
  const type = typeOf(error);
  if (type !== 'KAFKAJS_UNKNOWN_ERROR_CODE') return type;
  const code = /(\d+)$/.exec(reasonOf(error))?.[1] ?? '';
  return LATER_CODES[code] ?? type;
}

export function verdictOf(error: unknown): Verdict {
  const answer = answerOf(error);
  const known = VERDICTS[answer];
  if (known !== undefined) return known;
  if (isAuth(error)) return 'cluster';
  if (answer === '') return isPassing(error) || isTimeout(error) ? 'lost' : 'partition';
  return isPassing(error) ? 'again' : 'partition';
}

function isTimeout(error: unknown): boolean {
  return (error as { name?: string } | null)?.name === 'KafkaJSRequestTimeoutError';
}

/** What a broker says that does not know either. */
const UNKNOWN_SERVER_ERROR = -1;

/** What a broker said of one batch; none of both where it is written. */
export interface Outcome {
  readonly error?: unknown;
  /** Where the error does not tell. */
  readonly verdict?: Verdict;
  readonly rejected?: readonly RejectedRecord[];
  readonly reason?: string;
}

/** What an answer to produce says of one partition. */
export function outcomeOf(
  of: TopicPartition,
  produced: readonly Produced[],
  errorOf: (code: number) => Error,
): Outcome {
  const one = produced.find(({ topic, partition }) => topic === of.topic && partition === of.partition);
  if (one === undefined) return { error: errorOf(UNKNOWN_SERVER_ERROR) };
  if (one.errorCode === 0) return {};
  return { error: errorOf(one.errorCode), rejected: one.rejected, reason: one.reason };
}

const MISSING = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_TOPIC_EXCEPTION']);
const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);

/** Whether an answer says that the topic is not there. A topic made a moment ago may not be known to every broker yet. */
export function isMissing(error: unknown): boolean {
  return MISSING.has(answerOf(error));
}

/** The error for records of a topic or a batch that failed permanently. */
export function rejectionFor(topic: string, error: unknown, { brokers, secrets }: Setting): RxflumeError {
  const reason = reasonOf(error, secrets);
  const details = { topic, brokers, answer: answerOf(error) };
  if (isMissing(error)) {
    return new ConnectError('RXF_KAFKA_TOPIC_MISSING', `Topic ${topic} does not exist: ${reason}. Create it.`, {
      details,
      cause: error,
    });
  }
  if (isAuth(error)) {
    return new ConnectError(
      'RXF_KAFKA_AUTH',
      `Kafka at ${brokers.join(', ')} denies write access to ${topic}: ${reason}. Grant \`Write\` and \`Describe\` on the topic.`,
      { details, cause: error },
    );
  }
  return new SinkError('RXF_KAFKA_REJECTED', `Kafka rejects writes to ${topic}: ${reason}.`, {
    details,
    cause: error,
  });
}

/** Advice for a record that a broker rejects, by error code. */
const ADVICE: Readonly<Record<string, string>> = {
  INVALID_TIMESTAMP:
    'Set another `timestamp`, or widen `message.timestamp.before.max.ms` and `message.timestamp.after.max.ms` of the topic',
  INVALID_RECORD: 'Supply what the topic requires, such as a `key` where `cleanup.policy` is `compact`',
};

/** The error for a record that failed permanently. `reason`: the broker's message; empty if it sent only a code. */
export function recordRejection(
  record: KafkaOutgoing,
  partition: number,
  reason: string,
  error: unknown,
  { secrets }: Setting,
): SinkError {
  const { topic } = record;
  const answer = answerOf(error);
  const said = reason === '' ? reasonOf(error, secrets) : `${answer}: ${withoutStop(reason)}`;
  const details = { topic, partition, answer };
  if (TOO_LARGE.has(answer)) {
    return new SinkError(
      'RXF_KAFKA_RECORD_TOO_LARGE',
      `A record of ${mostRecordBytes(record)} bytes is larger than topic ${topic} allows: ${said}. Raise \`max.message.bytes\` ` +
        'of the topic, compress, or set such values aside with `deadLetter`.',
      { details, cause: error },
    );
  }
  const advice = ADVICE[answer] ?? 'See the configuration of the topic';
  return new SinkError(
    'RXF_KAFKA_RECORD_REJECTED',
    `Topic ${topic} rejects a record for partition ${partition} (${shownRecord(record)}): ${said}. ${advice}, or set such ` +
      'values aside with `deadLetter`. The other records are written.',
    { details, cause: error },
  );
}

function shownRecord({ key, value, timestamp }: KafkaOutgoing): string {
  const sizeOf = (bytes: Uint8Array | null) => (bytes === null ? 'null' : `${bytes.length} bytes`);
  const time = timestamp === null ? 'the time of the write' : String(timestamp);
  return `key ${sizeOf(key)}, value ${sizeOf(value)}, timestamp ${time}`;
}

export function recordTooLarge(topic: string, bytes: number, most: number): SinkError {
  return new SinkError(
    'RXF_KAFKA_RECORD_TOO_LARGE',
    `A record for topic ${topic} has ${bytes} bytes, and \`maxRecordBytes\` is ${most}. Raise it here and \`max.message.bytes\` of ` +
      'the topic, or set such values aside.',
    { details: { topic, bytes, most } },
  );
}

export function noSuchPartition(topic: string, partition: number, partitions: number): SinkError {
  return new SinkError(
    'RXF_KAFKA_RECORD_REJECTED',
    `A record is addressed to partition ${partition} of topic ${topic}, which has ${partitions} partitions, counted from 0. Correct \`partition\`, ` +
      'or add partitions to the topic.',
    { details: { topic, partition, partitions } },
  );
}

export function noSuchTime(topic: string, timestamp: number): SinkError {
  return new SinkError(
    'RXF_KAFKA_RECORD_REJECTED',
    `A record for topic ${topic} has the timestamp ${timestamp}, but Kafka stores whole milliseconds since 1970. Correct \`timestamp\`.`,
    { details: { topic, timestamp } },
  );
}

/** The error for a record that was not acknowledged in time. `wasSent`: whether the broker may have it. */
export function unsent(
  topic: string,
  withinMs: number,
  error: unknown,
  { secrets }: Setting,
  wasSent: boolean,
): SinkError {
  const doubt = wasSent ? 'It may or may not have been written' : 'It was not written';
  return new SinkError(
    'RXF_KAFKA_SEND',
    `Topic ${topic} did not acknowledge within ${withinMs} ms: ${reasonOf(error, secrets)}. ${doubt}; the value is redelivered.`,
    { details: { topic, withinMs, wasSent }, cause: error },
  );
}

/** The error for a record that was withdrawn before its turn came. */
export function withdrawn(topic: string): SinkError {
  return new SinkError('RXF_SINK_STOPPED', `A record for topic ${topic} was withdrawn before it was sent.`);
}

/** Why a transaction is over. */
export function transactionError(
  id: string,
  what: string,
  error: unknown,
  { brokers, secrets }: Setting,
): RxflumeError {
  if (error instanceof RxflumeError) return error;
  const reason = reasonOf(error, secrets);
  const details = { transactionalId: id, answer: answerOf(error) };
  const verdict = verdictOf(error);
  if (verdict === 'fenced') {
    return new FencedError(
      'RXF_KAFKA_FENCED',
      `Transactional id ${id} was fenced by another producer, or its transaction timed out (${what}: ${reason}). The open transaction is aborted; ` +
        "the stream resumes from the group's offsets.",
      { details, cause: error },
    );
  }
  if (isAuth(error) || answerOf(error) === 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED') {
    return new ConnectError(
      'RXF_KAFKA_AUTH',
      `Kafka at ${brokers.join(', ')} denies permission to ${what} with transactional id ${id}: ${reason}. Grant \`Write\` and ` +
        '`Describe` on transactional ids with this prefix, `Write` on the topic and `Read` on the group.',
      { details, cause: error },
    );
  }
  if (verdict === 'partition' || verdict === 'topic' || verdict === 'record' || verdict === 'cluster') {
    return new SinkError(
      'RXF_KAFKA_REJECTED',
      `Kafka rejects the request to ${what} with transactional id ${id}: ${reason}.`,
      {
        details,
        cause: error,
      },
    );
  }
  return new SinkError(
    'RXF_KAFKA_TRANSACTION',
    `Transaction of ${id}: the request to ${what} failed (${reason}). It may or may not have been carried out. The stream resumes ` +
      "from the group's offsets.",
    { details, cause: error },
  );
}

/** The error of calls after the producer has closed. */
export function closedError(name: string): SinkError {
  return new SinkError(
    'RXF_SINK_STOPPED',
    `The producer of ${name} was closed. Records that were not acknowledged are redelivered.`,
  );
}
