import { concatMap, EMPTY, type Observable, of } from 'rxjs';
import { jsonText } from '../core/json-text.js';
import { expectFunction, expectKnown, expectOption } from '../core/options.js';
import type { DeadLetter } from '../delivery/dead-letter.js';
import type { FileSystem } from '../ports/file-system.js';
import type { KafkaDriver } from '../ports/kafka-consumer.js';
import type { KafkaProducerDriver } from '../ports/kafka-producer.js';
import { kafkaSink } from '../sinks/kafka/kafka-sink.js';
import { isTopicName } from '../sinks/kafka/options.js';
import type { DeadLetterStore, StoredLine } from './dead-letter-store.js';
import { topicRecords } from './topic-records.js';

export interface DeadLetterTopicOptions {
  /** The topic that a Kafka sink writes dead letters to, with `encode: jsonText`. */
  readonly topic: string;
  /** Where it is kept which of them were replayed, since a topic has no place for that: always the same one for a topic. */
  readonly replays: {
    readonly fs: FileSystem;
    /** A folder for this topic alone: an absolute path. */
    readonly root: string;
  };
}

/**
 * Dead letters in a Kafka topic. Which of them were replayed is kept in a folder beside it.
 *
 * ```ts
 * import { deadLetterTopic } from 'rxflume/dead-letters';
 * import { kafkajs } from 'rxflume/drivers/kafkajs';
 * import { localDisk } from 'rxflume/drivers/local-disk';
 *
 * export const bad = deadLetterTopic(kafkajs({ brokers: ['k1:9092'] }), {
 *   topic: 'chat-bad',
 *   replays: { fs: localDisk(), root: '/srv/replays/chat-bad' },
 * });
 * ```
 *
 * Bounds: what the driver fetches at once.
 * Fails: as the driver does, and the file system.
 */
export function deadLetterTopic(
  driver: KafkaDriver & KafkaProducerDriver,
  options: DeadLetterTopicOptions,
): DeadLetterStore {
  expectFunction('driver.connect', driver?.connect);
  expectFunction('driver.open', driver.open);
  expectKnown('deadLetterTopic options', options, ['topic', 'replays']);
  const { topic, replays } = options;
  expectOption('topic', topic, isTopicName(topic), 'a topic name (letters, digits, `.`, `_`, `-`)');
  expectKnown('replays', replays, ['fs', 'root']);
  expectFunction('replays.fs.create', replays.fs?.create);
  const isAbsolute = typeof replays.root === 'string' && replays.root.startsWith('/');
  expectOption('replays.root', replays.root, isAbsolute, 'an absolute path');
  return {
    name: `topic ${topic} of ${driver.name}`,
    lines: () => linesOf(driver, topic),
    replays: { fs: replays.fs, folder: `${replays.root.replace(/\/+$/, '')}/_replays` },
    again: () =>
      kafkaSink<DeadLetter>(driver, {
        topic,
        encode: jsonText,
        timestamp: ({ timestamp, code }) =>
          timestamp === null || code === 'RXF_SINK_TIME' ? null : Date.parse(timestamp),
      }).write(),
  };
}

function linesOf(driver: KafkaDriver, topic: string): Observable<StoredLine> {
  return topicRecords(driver, topic).pipe(
    concatMap(({ partition, offset, value, timestamp }) =>
      value === null
        ? EMPTY
        : of({ file: String(partition), line: offset, text: value.toString(), modifiedMs: timestamp }),
    ),
  );
}
