import { SourceError } from '../../../core/errors.js';
import type { ForeignRequest } from '../vendor/internals.js';
import { compactText, NO_TAGS, type Raw, Reader, requestOf, uvarint } from '../vendor/wire.js';

export const METADATA = 3;
/** The first that tells the ids of topics (Kafka 2.8, KIP-516). */
export const TOPIC_IDS_VERSION = 10;

/** Ids by the names of topics. Each making of a topic has its own. */
export type TopicIds = ReadonlyMap<string, string>;

const NO_ID = Buffer.alloc(16);
/** No topic is to be made, and no operations are asked for. */
const NOTHING_ELSE = Buffer.from([0, 0, 0]);

/** Asks for the ids of topics; those that are not there, or not ours to see, are left out of the answer. */
export function topicIdsRequest(raw: Raw, topics: readonly string[]): ForeignRequest<TopicIds> {
  const body = Buffer.concat([
    // The header of this version ends in tagged fields, which kafkajs does not write.
    NO_TAGS,
    uvarint(topics.length + 1),
    ...topics.flatMap((topic) => [NO_ID, compactText(topic), NO_TAGS]),
    NOTHING_ELSE,
    NO_TAGS,
  ]);
  const of = { apiKey: METADATA, apiVersion: TOPIC_IDS_VERSION, apiName: 'Metadata' };
  return requestOf(
    raw,
    of,
    () => body,
    (bytes) => readTopicIds(new Reader(bytes)),
  );
}

function readTopicIds(from: Reader): TopicIds {
  from.tags();
  from.skip(4);
  for (let brokers = from.count(); brokers > 0; brokers -= 1) {
    from.skip(4);
    from.text();
    from.skip(4);
    from.text();
    from.tags();
  }
  from.text();
  from.skip(4);
  const ids = new Map<string, string>();
  for (let topics = from.count(); topics > 0; topics -= 1) {
    const errorCode = from.int16();
    const topic = from.text();
    const id = from.uuid();
    from.skip(1);
    for (let partitions = from.count(); partitions > 0; partitions -= 1) skipPartition(from);
    from.skip(4);
    from.tags();
    if (errorCode === 0) ids.set(topic, id);
  }
  return ids;
}

/** Error, number, leader and its epoch; then replicas, those in sync, and those that are offline. */
function skipPartition(from: Reader): void {
  from.skip(14);
  for (let lists = 0; lists < 3; lists += 1) from.skip(from.count() * 4);
  from.tags();
}

/** Fails with `RXF_KAFKA_DATA_LOST` where one of the topics has another id than before, so was created again. */
export function expectSame(topics: Iterable<string>, before: TopicIds, now: TopicIds): void {
  for (const topic of topics) {
    const old = before.get(topic);
    const id = now.get(topic);
    if (old !== undefined && id !== undefined && old !== id) throw recreatedError(topic, old, id);
  }
}

function recreatedError(topic: string, before: string, id: string): SourceError {
  return new SourceError(
    'RXF_KAFKA_DATA_LOST',
    `Topic ${topic} was deleted and created again (its id was ${before} and is ${id}). Our offsets belong to the deleted ` +
      'topic: resuming from them would skip the first records of the new one. Unread records of the old topic are gone.',
    { details: { topic, before, id } },
  );
}
