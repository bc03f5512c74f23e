import { byTopic } from '../consumer/offsets.js';
import type { ForeignRequest } from '../vendor/internals.js';
import { compactText, int32, NO_TAGS, type Raw, Reader, requestOf, text, uvarint } from '../vendor/wire.js';

/** What one partition gets of a request to produce. */
export interface PartitionBatch {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
}

/** One record that the broker rejects, by its index in the batch. */
export interface RejectedRecord {
  readonly index: number;
  readonly reason: string;
}

export interface Produced {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  /** The records at fault, where the broker names them. */
  readonly rejected: readonly RejectedRecord[];
  /** What the broker says about the whole batch; an empty text where it says nothing. */
  readonly reason: string;
}

const PRODUCE = 0;
/** From 3 on batches are of the form that carries producers and headers; 7 is the first with zstd, 8 names the records at fault. */
const PRODUCE_VERSION = 8;
const ALL_IN_SYNC = -1;
const OFFSET_FETCH = 9;
/** The first that can wait for offsets that a transaction is changing (Kafka 2.5). */
export const STABLE_OFFSETS_VERSION = 7;
const REQUIRE_STABLE = Buffer.from([1]);

/** Whole batches, as they were made; kafkajs's own request would make each record anew. */
export function produceRequest(
  raw: Raw,
  versionOf: (apiKey: number) => number,
  transactionalId: string | null,
  timeoutMs: number,
  batches: readonly PartitionBatch[],
): ForeignRequest<readonly Produced[]> {
  const apiVersion = Math.min(PRODUCE_VERSION, versionOf(PRODUCE));
  return requestOf(
    raw,
    { apiKey: PRODUCE, apiVersion, apiName: 'Produce' },
    () => produceBody(transactionalId, timeoutMs, batches),
    (bytes) => readProduced(new Reader(bytes), apiVersion),
  );
}

/**
 * The answer to a request to produce, as of version 3 and later.
 *
 * Source: Kafka's ProduceResponse; KIP-467 for the records at fault.
 */
function readProduced(from: Reader, version: number): readonly Produced[] {
  const produced: Produced[] = [];
  for (let topics = from.int32(); topics > 0; topics -= 1) {
    const topic = from.shortText();
    for (let partitions = from.int32(); partitions > 0; partitions -= 1) {
      const partition = from.int32();
      const errorCode = from.int16();
      // The first offset and the time of the log, and from 5 on the log's own first offset.
      from.skip(version >= 5 ? 24 : 16);
      const rejected: RejectedRecord[] = [];
      let reason = '';
      if (version >= 8) {
        for (let records = from.int32(); records > 0; records -= 1) {
          rejected.push({ index: from.int32(), reason: from.shortText() });
        }
        reason = from.shortText();
      }
      produced.push({ topic, partition, errorCode, rejected, reason });
    }
  }
  return produced;
}

function produceBody(transactionalId: string | null, timeoutMs: number, batches: readonly PartitionBatch[]): Buffer {
  const topics = byTopic(batches, (batch) => batch);
  const head = Buffer.alloc(6);
  head.writeInt16BE(ALL_IN_SYNC, 0);
  head.writeInt32BE(timeoutMs, 2);
  return Buffer.concat([
    transactionalId === null ? Buffer.from([0xff, 0xff]) : text(transactionalId),
    head,
    int32(topics.length),
    ...topics.flatMap(({ topic, partitions }) => [
      text(topic),
      int32(partitions.length),
      ...partitions.flatMap(({ partition, bytes }) => [int32(partition), int32(bytes.length), bytes]),
    ]),
  ]);
}

/** A topic as a broker knows it, with its own error. */
export interface TopicMetadata {
  readonly topic: string;
  readonly topicErrorCode: number;
  readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[];
}

export interface ClusterMetadata {
  readonly brokers: readonly unknown[];
  readonly topicMetadata: readonly TopicMetadata[];
}

const METADATA = 3;
/** The last version that kafkajs reads. */
const METADATA_VERSION = 6;
/** From it on a request says that no topic is to be made. */
const NO_CREATION_VERSION = 4;

/**
 * Asks for the brokers and these topics, none where the list is empty. What kafkajs asks with none is for all topics, and
 * what it parses fails as a whole where one topic is forbidden or one partition has no leader.
 */
export function metadataRequest(
  raw: Raw,
  versionOf: (apiKey: number) => number,
  topics: readonly string[],
): ForeignRequest<ClusterMetadata> {
  const apiVersion = Math.min(METADATA_VERSION, versionOf(METADATA));
  const { decode } = raw.load(`src/protocol/requests/metadata/v${apiVersion}/response.js`) as {
    decode(bytes: Buffer): Promise<ClusterMetadata>;
  };
  const body = [int32(topics.length), ...topics.map(text)];
  if (apiVersion >= NO_CREATION_VERSION) body.push(Buffer.from([0]));
  return requestOf(raw, { apiKey: METADATA, apiVersion, apiName: 'Metadata' }, () => Buffer.concat(body), decode);
}

export interface StableOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly errorCode: number;
}

export interface StableOffsets {
  readonly errorCode: number;
  readonly offsets: readonly StableOffset[];
}

/**
 * Asks for a group's offsets as they are when no transaction is changing them. What kafkajs can ask answers with the
 * offsets before a transaction that is decided and not written everywhere yet.
 *
 * Source: KIP-447; the form with tagged fields, KIP-482.
 */
export function stableOffsetsRequest(
  raw: Raw,
  groupId: string,
  topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
): ForeignRequest<StableOffsets> {
  const body = Buffer.concat([
    // The header of this version ends in tagged fields, which kafkajs does not write.
    NO_TAGS,
    compactText(groupId),
    uvarint(topics.length + 1),
    ...topics.flatMap(({ topic, partitions }) => [
      compactText(topic),
      uvarint(partitions.length + 1),
      ...partitions.map(int32),
      NO_TAGS,
    ]),
    REQUIRE_STABLE,
    NO_TAGS,
  ]);
  return requestOf(
    raw,
    { apiKey: OFFSET_FETCH, apiVersion: STABLE_OFFSETS_VERSION, apiName: 'OffsetFetch' },
    () => body,
    (bytes) => readOffsets(new Reader(bytes)),
  );
}

function readOffsets(from: Reader): StableOffsets {
  from.tags();
  from.skip(4);
  const offsets: StableOffset[] = [];
  for (let topics = from.count(); topics > 0; topics -= 1) {
    const topic = from.text();
    for (let partitions = from.count(); partitions > 0; partitions -= 1) {
      const partition = from.int32();
      const offset = from.int64();
      from.skip(4);
      from.text();
      offsets.push({ topic, partition, offset, errorCode: from.int16() });
      from.tags();
    }
    from.tags();
  }
  return { errorCode: from.int16(), offsets };
}
