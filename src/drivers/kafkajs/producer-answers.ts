import { ConnectError, FencedError, RxflumeError, SinkError } from '../../core/errors.js';
import { isAuth, isPassing, reasonOf, type Setting, typeOf } from './errors.js';

/**
 * What a broker's answer to a write, or to a step of a transaction, means:
 * `again`: ask again, the same; `lost`: no answer came, nobody knows; `anew`: the producer's sequence is not what the
 * broker has, so another producer id is needed; `fenced`: somebody has taken the transactional id; the others are final.
 */
export type Verdict = 'stored' | 'again' | 'lost' | 'anew' | 'fenced' | 'tooLarge' | 'missing' | 'denied' | 'refused';

/** Codes that kafkajs 2.2.4 does not know. */
const LATER_CODES: Readonly<Record<string, string>> = {
  87: 'INVALID_RECORD',
  88: 'UNSTABLE_OFFSET_COMMIT',
  90: 'PRODUCER_FENCED',
  120: 'TRANSACTION_ABORTABLE',
};

const VERDICTS: Readonly<Record<string, Verdict>> = {
  // The batch is there already: an answer was lost.
  DUPLICATE_SEQUENCE_NUMBER: 'stored',
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'anew',
  UNKNOWN_PRODUCER_ID: 'anew',
  INVALID_PRODUCER_EPOCH: 'fenced',
  PRODUCER_FENCED: 'fenced',
  TRANSACTION_COORDINATOR_FENCED: 'fenced',
  INVALID_PRODUCER_ID_MAPPING: 'fenced',
  MESSAGE_TOO_LARGE: 'tooLarge',
  RECORD_LIST_TOO_LARGE: 'tooLarge',
  CONCURRENT_TRANSACTIONS: 'again',
  UNSTABLE_OFFSET_COMMIT: 'again',
  INVALID_TOPIC_EXCEPTION: 'missing',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'denied',
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
  if (isAuth(error)) return 'denied';
  if (answer === '') return isPassing(error) || isTimeout(error) ? 'lost' : 'refused';
  return isPassing(error) ? 'again' : 'refused';
}

function isTimeout(error: unknown): boolean {
  return (error as { name?: string } | null)?.name === 'KafkaJSRequestTimeoutError';
}

/** With what the records of a topic are refused for good. */
export function refusalFor(
  topic: string,
  verdict: Verdict,
  error: unknown,
  { brokers, secrets }: Setting,
): RxflumeError {
  const reason = reasonOf(error, secrets);
  const details = { topic, brokers, answer: answerOf(error) };
  if (verdict === 'missing') {
    return new ConnectError(
      'RXF_KAFKA_TOPIC_MISSING',
      `There is no topic ${topic} to write to: ${reason}. Create it.`,
      {
        details,
        cause: error,
      },
    );
  }
  if (verdict === 'denied') {
    return new ConnectError(
      'RXF_KAFKA_AUTH',
      `Kafka at ${brokers.join(', ')} does not let us write to ${topic}: ${reason}. Grant \`Write\` and \`Describe\` on the topic.`,
      { details, cause: error },
    );
  }
  if (verdict === 'tooLarge') {
    return new SinkError(
      'RXF_KAFKA_RECORD_TOO_LARGE',
      `A record is larger than what topic ${topic} takes: ${reason}. Raise \`max.message.bytes\` of the topic, or compress.`,
      { details, cause: error },
    );
  }
  return new SinkError('RXF_KAFKA_REFUSED', `Kafka refuses to write to ${topic}: ${reason}.`, {
    details,
    cause: error,
  });
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
    'RXF_KAFKA_REFUSED',
    `A record was to go to partition ${partition} of topic ${topic}, which has ${partitions}, counted from 0. Correct \`partition\`.`,
    { details: { topic, partition, partitions } },
  );
}

export function unsent(topic: string, withinMs: number, error: unknown, { secrets }: Setting): SinkError {
  return new SinkError(
    'RXF_KAFKA_SEND',
    `Topic ${topic} did not acknowledge what was sent within ${withinMs} ms: ${reasonOf(error, secrets)}. Nobody knows whether it ` +
      'was written; it comes again.',
    { details: { topic, withinMs }, cause: error },
  );
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
      `Transactional id ${id} was taken by another, or its transaction timed out (${what}: ${reason}). What was open is aborted; ` +
        "the stream is taken up again from the group's offsets.",
      { details, cause: error },
    );
  }
  if (verdict === 'denied') {
    return new ConnectError(
      'RXF_KAFKA_AUTH',
      `Kafka at ${brokers.join(', ')} does not let us ${what} with transactional id ${id}: ${reason}. Grant \`Write\` and ` +
        '`Describe` on transactional ids with this prefix, `Write` on the topic and `Read` on the group.',
      { details, cause: error },
    );
  }
  if (verdict === 'refused') {
    return new SinkError('RXF_KAFKA_REFUSED', `Kafka refuses to ${what} with transactional id ${id}: ${reason}.`, {
      details,
      cause: error,
    });
  }
  return new SinkError(
    'RXF_KAFKA_TRANSACTION',
    `Transaction of ${id}: to ${what} failed (${reason}), and nobody knows whether it was carried out. The stream is taken up ` +
      "again from the group's offsets.",
    { details, cause: error },
  );
}

/** With what calls fail after the end. */
export function closedError(name: string): SinkError {
  return new SinkError(
    'RXF_SINK_STOPPED',
    `The producer of ${name} was closed; what was not acknowledged comes again.`,
  );
}
