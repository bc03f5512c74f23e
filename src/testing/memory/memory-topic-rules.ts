import { timeOfDayMs } from '../../core/clock.js';
import { ConnectError, type RxflumeError, SinkError } from '../../core/errors.js';
import type { KafkaOutgoing } from '../../ports/kafka-producer.js';

/** The configuration of a topic by Kafka's own names; those that are not known here change nothing. */
export type TopicConfig = Readonly<Record<string, string>>;

/** Why a broker with this topic rejects a record, by itself and for good. */
export function rejectionByTopic(
  { topic, key, value, timestamp }: KafkaOutgoing,
  partition: number,
  config: TopicConfig,
): RxflumeError | undefined {
  const bytes = (key?.length ?? 0) + (value?.length ?? 0);
  const most = Number(config['max.message.bytes'] ?? Number.POSITIVE_INFINITY);
  if (bytes > most) {
    return new SinkError(
      'RXF_KAFKA_RECORD_TOO_LARGE',
      `A record of ${bytes} bytes is larger than the ${most} of topic ${topic}. Raise \`max.message.bytes\`.`,
    );
  }
  if (config['cleanup.policy']?.includes('compact') && key === null) {
    return recordRejection(topic, partition, `INVALID_RECORD: Compacted topic cannot accept message without key`);
  }
  const now = timeOfDayMs();
  const at = timestamp ?? now;
  const either = config['message.timestamp.difference.max.ms'];
  const before = Number(config['message.timestamp.before.max.ms'] ?? either ?? Number.POSITIVE_INFINITY);
  const after = Number(config['message.timestamp.after.max.ms'] ?? either ?? Number.POSITIVE_INFINITY);
  if (now - at > before || at - now > after) {
    return recordRejection(topic, partition, `INVALID_TIMESTAMP: Timestamp ${at} of message is out of range`);
  }
  return undefined;
}

/** Why nothing can be written to a topic. */
export function missingTopic(topic: string): ConnectError {
  return new ConnectError('RXF_KAFKA_TOPIC_MISSING', `There is no topic ${topic}. Create it.`);
}

export function forbiddenTopic(topic: string): ConnectError {
  return new ConnectError('RXF_KAFKA_AUTH', `Topic ${topic} is not ours to write to. Grant \`Write\`.`);
}

export function recordRejection(topic: string, partition: number, reason: string): SinkError {
  return new SinkError(
    'RXF_KAFKA_RECORD_REJECTED',
    `Topic ${topic} rejects a record for partition ${partition}: ${reason}. Correct it, or set such values aside.`,
  );
}
