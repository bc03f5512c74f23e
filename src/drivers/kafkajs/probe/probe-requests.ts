import type { ForeignRequest } from '../vendor/internals.js';
import { int32, type Raw, Reader, requestOf, text } from '../vendor/wire.js';

/** What an operation is called in a set of allowed ones: a bit each. Source: Kafka, AclOperation. */
const OPERATIONS = { Read: 3, Write: 4, Describe: 8, IdempotentWrite: 12 } as const;
export type Operation = keyof typeof OPERATIONS;

/** The operations that the broker allows us, as bits; undefined where it does not say. */
export type Allowed = number | undefined;

export function isAllowed(allowed: Allowed, operation: Operation): boolean {
  return allowed === undefined || (allowed & (1 << OPERATIONS[operation])) !== 0;
}

export interface KnownBroker {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

export interface KnownTopic {
  readonly topic: string;
  readonly errorCode: number;
  readonly isInternal: boolean;
  readonly partitions: readonly { readonly partition: number; readonly leader: number }[];
  readonly allowed: Allowed;
}

export interface KnownCluster {
  readonly brokers: readonly KnownBroker[];
  readonly topics: readonly KnownTopic[];
  readonly allowed: Allowed;
}

export interface KnownGroup {
  readonly errorCode: number;
  readonly members: number;
  readonly allowed: Allowed;
}

const METADATA = { apiKey: 3, apiVersion: 8, apiName: 'Metadata' };
const DESCRIBE_GROUPS = { apiKey: 15, apiVersion: 3, apiName: 'DescribeGroups' };
const ALL_TOPICS = -1;

/**
 * Asks for the brokers, these topics (undefined: all), and what we may do with them and with the cluster. Makes no topic.
 *
 * Source: Kafka protocol guide, Metadata 8 (Kafka 2.3, KIP-430).
 */
export function clusterRequest(raw: Raw, topics: readonly string[] | undefined): ForeignRequest<KnownCluster> {
  const asked = topics === undefined ? [int32(ALL_TOPICS)] : [int32(topics.length), ...topics.map(text)];
  const body = Buffer.concat([...asked, Buffer.from([0, 1, 1])]);
  return requestOf(
    raw,
    METADATA,
    () => body,
    (bytes) => readCluster(new Reader(bytes)),
  );
}

/** Asks how many members a group has, and what we may do with it. Source: Kafka protocol guide, DescribeGroups 3. */
export function groupRequest(raw: Raw, groupId: string): ForeignRequest<KnownGroup> {
  const body = Buffer.concat([int32(1), text(groupId), Buffer.from([1])]);
  return requestOf(
    raw,
    DESCRIBE_GROUPS,
    () => body,
    (bytes) => readGroup(new Reader(bytes)),
  );
}

function many<T>(from: Reader, read: () => T): T[] {
  return Array.from({ length: Math.max(0, from.int32()) }, read);
}

function allowedOf(bits: number): Allowed {
  // The least number stands for "not said".
  return bits === -(2 ** 31) ? undefined : bits;
}

function readCluster(from: Reader): KnownCluster {
  from.skip(4);
  const brokers = many(from, () => {
    const broker = { nodeId: from.int32(), host: from.shortText(), port: from.int32() };
    from.shortText();
    return broker;
  });
  from.shortText();
  from.skip(4);
  const topics = many(from, () => readTopic(from));
  return { brokers, topics, allowed: allowedOf(from.int32()) };
}

function readTopic(from: Reader): KnownTopic {
  const errorCode = from.int16();
  const topic = from.shortText();
  const isInternal = from.int8() !== 0;
  const partitions = many(from, () => {
    from.skip(2);
    const known = { partition: from.int32(), leader: from.int32() };
    // Its epoch; then replicas, those in sync, and those that are offline.
    from.skip(4);
    for (let lists = 0; lists < 3; lists += 1) many(from, () => from.skip(4));
    return known;
  });
  return { topic, errorCode, isInternal, partitions, allowed: allowedOf(from.int32()) };
}

function readGroup(from: Reader): KnownGroup {
  from.skip(8);
  const errorCode = from.int16();
  for (let texts = 0; texts < 4; texts += 1) from.shortText();
  const members = many(from, () => {
    for (let texts = 0; texts < 3; texts += 1) from.shortText();
    for (let blobs = 0; blobs < 2; blobs += 1) from.skip(Math.max(0, from.int32()));
  });
  return { errorCode, members: members.length, allowed: allowedOf(from.int32()) };
}
