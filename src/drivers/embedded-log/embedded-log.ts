import { resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import { Observable } from 'rxjs';
import { ConnectError } from '../../core/errors.js';
import { expectOption } from '../../core/options.js';
import type { KafkaDriver, KafkaSubscription } from '../../ports/kafka-consumer.js';
import { diskProbe } from '../local-disk/probe.js';
import { LogFolder } from './log-folder.js';
import { Member } from './member.js';
import { checkOptions, type EmbeddedLogOptions, expectTopic } from './options.js';
import { frameBytes, HEAD_BYTES, MAX_BODY_BYTES, type NewRecord } from './record-format.js';

/** A substitute for a broker that lives in a folder of this process: what is appended is there for every group to read. */
export interface EmbeddedLog extends KafkaDriver {
  /**
   * Appends values, in order, to one partition of the topic, which is made when it is not there: the key's partition,
   * or without a key each call's in turn. A null value is a tombstone. Answers when all of them are durable; after a
   * crash all of them are there, or none. Calls made together share one sync.
   */
  append(topic: string, values: readonly (string | Uint8Array | null)[], key?: string | Uint8Array): Promise<void>;
  /** How many records a topic holds, in all its partitions; 0 where there is no such topic. */
  recordCount(topic: string): Promise<number>;
  /** Ends the connections with `RXF_KAFKA_LOST`, writes what waits, frees the folder. Used again, the log opens again. */
  close(): Promise<void>;
}

/**
 * A Kafka for one process and no server: topics of append-only files in a folder, read through the same port as the
 * real one. For first runs, demonstrations and tests of whole flows; it has no copies and no network.
 *
 * The folder is opened at the first use. A group has one member at a time, with all partitions, in epoch 1; a pattern of
 * topics is matched when connecting.
 *
 * ```ts
 * import { kafkaSource } from 'rxflume';
 * import { embeddedLog } from 'rxflume/drivers/embedded-log';
 *
 * const log = embeddedLog({ folder: '.data/log', topics: ['chat'] });
 * export const chat$ = kafkaSource(log, { topics: ['chat'], groupId: 'first-run' });
 * ```
 *
 * Bounds: a batch of `maxPartitionBytes` a connection; appends wait with their bytes until they are durable; 16 bytes
 * of index for each 64 KiB of log.
 * Fails: `ConnectError` `RXF_KAFKA_UNREACHABLE` when the folder cannot be opened, is open elsewhere, or the group has a
 * member; `RXF_KAFKA_TOPIC_MISSING`. `SourceError` `RXF_KAFKA_PROTOCOL` on a damaged file, `RXF_KAFKA_DATA_LOST` on an
 * offset the log never reached. `append`: `SinkError` `RXF_SINK_WRITE`.
 * Source: the port `KafkaDriver`; it is not Kafka's format on disk.
 */
export function embeddedLog(options: EmbeddedLogOptions): EmbeddedLog {
  const checked = checkOptions(options);
  const name = `embedded log ${checked.folder}`;
  let opening: Promise<LogFolder> | undefined;
  let closing: Promise<void> | undefined;
  let turn = 0;

  const open = () => {
    if (opening === undefined) {
      const attempt = Promise.resolve(closing?.catch(() => undefined)).then(() => LogFolder.open(checked));
      opening = attempt;
      attempt.catch(() => {
        if (opening === attempt) opening = undefined;
      });
    }
    return opening;
  };

  return {
    name,
    probe: () => diskProbe(resolve(checked.folder)),

    async append(topic, values, key) {
      expectTopic('topic', topic);
      const keyBytes = key === undefined ? null : toBytes(key);
      const records = values.map((value) => ({ key: keyBytes, value: value === null ? null : toBytes(value) }));
      records.forEach(expectFits);
      if (records.length === 0) return;
      const folder = await open();
      const segments = await folder.topics.getOrMake(topic, checked.partitions);
      const slot = keyBytes === null ? turn++ : crc32(keyBytes);
      const segment = segments[slot % segments.length];
      await segment?.append(records, checked.now());
    },

    async recordCount(topic) {
      const folder = await open();
      return folder.topics.get(topic).reduce((sum, segment) => sum + segment.next, 0);
    },

    async close() {
      const opened = opening;
      if (opened === undefined) return closing;
      opening = undefined;
      closing = opened.then(
        (folder) => folder.close(),
        () => undefined,
      );
      return closing;
    },

    connect: (subscription, listener) =>
      new Observable((subscriber) => {
        let member: Member | undefined;
        const join = (folder: LogFolder) => {
          if (subscriber.closed) return;
          const topics = matchTopics(folder.topics.names, subscription);
          expectOnlyMember(folder, subscription.groupId);
          member = new Member(folder, subscription, listener, subscriber);
          void member.run(topics);
        };
        open()
          .then(join)
          .catch((error: unknown) => subscriber.error(error));
        return () => member?.leave();
      }),
  };
}

/** The topics there are that the subscription names. */
function matchTopics(names: readonly string[], { topics }: KafkaSubscription): readonly string[] {
  // `search` starts at 0 whatever the flags of the pattern; `test` would go on from its last match.
  const found = topics instanceof RegExp ? names.filter((name) => name.search(topics) >= 0) : [...new Set(topics)];
  const missing = topics instanceof RegExp ? [] : found.filter((topic) => !names.includes(topic));
  if (found.length > 0 && missing.length === 0) return found;
  const there = names.length === 0 ? 'It has no topics yet' : `It has ${names.join(', ')}`;
  const wanted = topics instanceof RegExp ? `topic that matches ${String(topics)}` : `topic ${missing.join(', ')}`;
  throw new ConnectError(
    'RXF_KAFKA_TOPIC_MISSING',
    `The embedded log has no ${wanted}. ${there}. Name it in the log's \`topics\`, or append to it first.`,
    { details: { missing, there: names } },
  );
}

function expectOnlyMember(folder: LogFolder, groupId: string): void {
  if (![...folder.readers].some((reader) => reader.groupId === groupId)) return;
  throw new ConnectError(
    'RXF_KAFKA_UNREACHABLE',
    `Group ${groupId} already reads the embedded log, which gives a group to one member. Use another \`groupId\`.`,
    { details: { groupId } },
  );
}

function toBytes(value: string | Uint8Array): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value) : value;
}

function expectFits(record: NewRecord): void {
  const bytes = frameBytes(record) - HEAD_BYTES;
  expectOption('values', bytes, bytes <= MAX_BODY_BYTES, `records of at most ${MAX_BODY_BYTES} bytes each`);
}
