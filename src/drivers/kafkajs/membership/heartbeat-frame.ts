import type { ForeignRequest } from '../vendor/internals.js';
import {
  compactArray,
  compactNullable,
  compactText,
  int32,
  NO_TAGS,
  type Raw,
  Reader,
  requestOf,
  uuid,
} from '../vendor/wire.js';

/** The number of the request by which members of the consumer protocol join, live and leave (Kafka 3.7, KIP-848). */
export const CONSUMER_GROUP_HEARTBEAT = 68;
/** The first that has a pattern, and wants the member to make its own id (Kafka 4.0, KIP-1082). */
export const PATTERN_VERSION = 1;

/** Partitions of one topic, by the topic's id. */
export interface TopicShare {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

/** What a member says. Null, and −1 for the timeout, is what it said last time. */
export interface Heartbeat {
  readonly groupId: string;
  readonly memberId: string;
  /** 0 joins, −1 leaves, −2 leaves for a static member to be back soon. */
  readonly epoch: number;
  readonly instanceId: string | null;
  readonly rebalanceTimeoutMs: number;
  readonly topics: readonly string[] | null;
  /** From version 1 on. */
  readonly pattern: string | null;
  readonly owned: readonly TopicShare[] | null;
}

export interface HeartbeatAnswer {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  /** A broker of version 0 may give another than it was sent. */
  readonly memberId: string | null;
  readonly epoch: number;
  readonly intervalMs: number;
  /** Null where it has not changed. */
  readonly assignment: readonly TopicShare[] | null;
}

/** Source: Kafka 4.2, ConsumerGroupHeartbeatRequest and -Response. */
export function heartbeatRequest(raw: Raw, version: number, beat: Heartbeat): ForeignRequest<HeartbeatAnswer> {
  const of = { apiKey: CONSUMER_GROUP_HEARTBEAT, apiVersion: version, apiName: 'ConsumerGroupHeartbeat' };
  return requestOf(
    raw,
    of,
    () => heartbeatBody(version, beat),
    (bytes) => readHeartbeat(new Reader(bytes)),
  );
}

export function heartbeatBody(version: number, beat: Heartbeat): Buffer {
  return Buffer.concat([
    // The header ends in tagged fields, which kafkajs does not write.
    NO_TAGS,
    compactText(beat.groupId),
    compactText(beat.memberId),
    int32(beat.epoch),
    compactNullable(beat.instanceId),
    // No rack: records are fetched from leaders.
    compactNullable(null),
    int32(beat.rebalanceTimeoutMs),
    compactArray(beat.topics, compactText),
    ...(version >= PATTERN_VERSION ? [compactNullable(beat.pattern)] : []),
    // The group's own assignor.
    compactNullable(null),
    compactArray(beat.owned, writeShare),
    NO_TAGS,
  ]);
}

function writeShare({ topicId, partitions }: TopicShare): Buffer {
  return Buffer.concat([uuid(topicId), compactArray(partitions, int32), NO_TAGS]);
}

export function readHeartbeat(from: Reader): HeartbeatAnswer {
  from.tags();
  from.skip(4);
  return {
    errorCode: from.int16(),
    errorMessage: from.nullableText(),
    memberId: from.nullableText(),
    epoch: from.int32(),
    intervalMs: from.int32(),
    assignment: readAssignment(from),
  };
}

function readAssignment(from: Reader): readonly TopicShare[] | null {
  // A struct that may be null says so in a byte of its own.
  if (from.int8() < 0) return null;
  return from.array(() => {
    const share = { topicId: from.uuid(), partitions: from.array(() => from.int32()) };
    from.tags();
    return share;
  });
}
