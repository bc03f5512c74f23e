import type { CommittedOffset, TopicPartition } from '../../../ports/kafka-consumer.js';
import { byTopic, metadataOf } from '../consumer/offsets.js';
import type { ForeignOffsets, ForeignRequest } from '../vendor/internals.js';
import {
  compactArray,
  compactNullable,
  compactText,
  int32,
  int64,
  NO_TAGS,
  type Raw,
  Reader,
  requestOf,
} from '../vendor/wire.js';

/** Both have the member's epoch, and topics by name, in this version (Kafka 3.7, KIP-848). */
const VERSION = 9;
const OFFSET_COMMIT = { apiKey: 8, apiVersion: VERSION, apiName: 'OffsetCommit' };
const OFFSET_FETCH = { apiKey: 9, apiVersion: VERSION, apiName: 'OffsetFetch' };
/** The broker then answers offsets that an open transaction is about to move by an error, and not with what is there. */
const REQUIRE_STABLE = Buffer.from([1]);

/** Who asks. Without a member, as one who looks from outside. */
export interface Asking {
  readonly groupId: string;
  readonly memberId: string | null;
  readonly epoch: number;
}

export interface GroupOffsetsAnswer {
  readonly errorCode: number;
  readonly responses: readonly ForeignOffsets[];
}

/** Source: Kafka 4.2, OffsetFetchRequest and -Response. */
export function offsetFetchRequest(
  raw: Raw,
  asking: Asking,
  partitions: readonly TopicPartition[],
): ForeignRequest<GroupOffsetsAnswer> {
  return requestOf(
    raw,
    OFFSET_FETCH,
    () => offsetFetchBody(asking, partitions),
    (bytes) => readOffsetFetch(new Reader(bytes)),
  );
}

export function offsetFetchBody({ groupId, memberId, epoch }: Asking, partitions: readonly TopicPartition[]): Buffer {
  const topics = byTopic(partitions, ({ partition }) => partition);
  const writeTopic = ({ topic, partitions: numbers }: { topic: string; partitions: number[] }) =>
    Buffer.concat([compactText(topic), compactArray(numbers, int32), NO_TAGS]);
  const group = Buffer.concat([
    compactText(groupId),
    compactNullable(memberId),
    int32(epoch),
    compactArray(topics, writeTopic),
    NO_TAGS,
  ]);
  return Buffer.concat([NO_TAGS, compactArray([group], (one) => one), REQUIRE_STABLE, NO_TAGS]);
}

export function readOffsetFetch(from: Reader): GroupOffsetsAnswer {
  from.tags();
  from.skip(4);
  const groups = from.array(() => {
    from.text();
    const responses = readTopics(from, () => {
      const partition = from.int32();
      const offset = String(from.int64());
      from.skip(4);
      return { partition, offset, metadata: from.nullableText(), errorCode: from.int16() };
    });
    const errorCode = from.int16();
    from.tags();
    return { errorCode, responses };
  });
  return groups[0] ?? { errorCode: 0, responses: [] };
}

/** Source: Kafka 4.2, OffsetCommitRequest and -Response. */
export function offsetCommitRequest(
  raw: Raw,
  asking: Asking,
  instanceId: string | null,
  offsets: readonly CommittedOffset[],
): ForeignRequest<readonly ForeignOffsets[]> {
  return requestOf(
    raw,
    OFFSET_COMMIT,
    () => offsetCommitBody(asking, instanceId, offsets),
    (bytes) => readOffsetCommit(new Reader(bytes)),
  );
}

export function offsetCommitBody(
  { groupId, memberId, epoch }: Asking,
  instanceId: string | null,
  offsets: readonly CommittedOffset[],
): Buffer {
  const writePartition = (one: CommittedOffset) =>
    Buffer.concat([int32(one.partition), int64(one.offset), int32(-1), compactNullable(metadataOf(one)), NO_TAGS]);
  const writeTopic = ({ topic, partitions }: { topic: string; partitions: CommittedOffset[] }) =>
    Buffer.concat([compactText(topic), compactArray(partitions, writePartition), NO_TAGS]);
  return Buffer.concat([
    NO_TAGS,
    compactText(groupId),
    int32(epoch),
    compactText(memberId ?? ''),
    compactNullable(instanceId),
    compactArray(
      byTopic(offsets, (one) => one),
      writeTopic,
    ),
    NO_TAGS,
  ]);
}

export function readOffsetCommit(from: Reader): readonly ForeignOffsets[] {
  from.tags();
  from.skip(4);
  return readTopics(from, () => ({ partition: from.int32(), errorCode: from.int16() }));
}

function readTopics<P extends ForeignOffsets['partitions'][number]>(
  from: Reader,
  readPartition: () => P,
): ForeignOffsets[] {
  return from.array(() => {
    const topic = from.text();
    const partitions = from.array(() => {
      const read = readPartition();
      from.tags();
      return read;
    });
    from.tags();
    return { topic, partitions };
  });
}
