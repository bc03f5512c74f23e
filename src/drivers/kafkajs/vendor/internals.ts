import type { Codec } from '../codecs/codecs.js';
import type { FetchedMessages } from '../records/fetched-messages.js';

/** The parts of kafkajs 2.2.4's own rooms that this driver relies on, as far as it uses them. */
export interface Internals {
  readonly Cluster: new (options: Record<string, unknown>) => Cluster;
  readonly ConsumerGroup: new (options: Record<string, unknown>) => ConsumerGroup;
  readonly Emitter: new () => unknown;
  readonly createLogger: (options: { level: number; logCreator: LogCreator }) => unknown;
  readonly roundRobin: (options: { cluster: Cluster }) => ForeignAssigner;
  readonly assignerProtocol: AssignerProtocol;
  readonly createErrorFromCode: (code: number) => ForeignError;
  readonly codecs: Record<number, () => Codec>;
  /** Any other file of the same copy of kafkajs. */
  readonly load: (path: string) => unknown;
}

/** Shares partitions out among the members of a group; called by its leader. */
export interface ForeignAssigner {
  readonly name: string;
  readonly version: number;
  protocol(of: { readonly topics: readonly string[] }): unknown;
  assign(group: {
    readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
    readonly topics: readonly string[];
  }): Promise<readonly { readonly memberId: string; readonly memberAssignment: Buffer }[]>;
}

export interface AssignerProtocol {
  readonly MemberMetadata: { decode(bytes: Buffer): { readonly topics: readonly string[] } };
  readonly MemberAssignment: {
    encode(of: { version: number; assignment: Readonly<Record<string, readonly number[]>> }): Buffer;
  };
}

export type LogCreator = () => (entry: { level: number; log: { message: string; [name: string]: unknown } }) => void;

/** What kafkajs throws. `type` names the broker's error code, `code` may be Node's. */
export interface ForeignError extends Error {
  readonly type?: string;
  readonly code?: string | number;
  readonly retriable?: boolean;
  readonly broker?: string;
  readonly host?: string;
  readonly port?: number;
}

export interface Cluster {
  readonly brokerPool: BrokerPool;
  connect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  findBroker(of: { nodeId: string | number }): Promise<Broker>;
  findGroupCoordinator(of: { groupId: string; coordinatorType?: number }): Promise<Broker>;
  readonly targetTopics: Set<string>;
  findTopicPartitionMetadata(topic: string): readonly PartitionMetadata[];
}

/** What a broker knows of one topic, errors included: ours looks at each. */
export interface TopicMetadata {
  readonly topic: string;
  readonly topicErrorCode: number;
  readonly isInternal?: boolean;
  readonly partitionMetadata: readonly PartitionMetadata[];
}

export interface PartitionMetadata {
  readonly partitionId: number;
  readonly leader: number;
}

export interface BrokerPool {
  metadata: {
    readonly brokers: readonly { readonly nodeId: number }[];
    readonly topicMetadata: readonly TopicMetadata[];
  } | null;
  findConnectedBroker(): Promise<Broker>;
  createBroker: (options: unknown) => Broker;
}

/** A request and how its answer is read, as kafkajs's connections take them. */
export interface ForeignRequest<T> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<unknown>;
  };
  readonly response: { decode(raw: Buffer): Promise<T>; parse(decoded: T): Promise<T> };
  readonly logResponseError?: boolean;
}

export interface ForeignConnection {
  send<T>(request: ForeignRequest<T>): Promise<T>;
}

export interface Broker {
  readonly brokerAddress: string;
  /** By the number of the request. */
  readonly versions: Readonly<Record<number, { readonly maxVersion: number } | undefined>>;
  readonly connectionPool: ForeignConnection & { getConnection(index: number): Promise<ForeignConnection> };
  initProducerId(request: Record<string, unknown>): Promise<{
    readonly producerId: string;
    readonly producerEpoch: number;
  }>;
  addPartitionsToTxn(request: Record<string, unknown>): Promise<unknown>;
  addOffsetsToTxn(request: Record<string, unknown>): Promise<unknown>;
  txnOffsetCommit(request: Record<string, unknown>): Promise<unknown>;
  endTxn(request: Record<string, unknown>): Promise<unknown>;
  metadata(topics: readonly string[]): Promise<{ readonly topicMetadata: readonly TopicMetadata[] }>;
  listOffsets(request: Record<string, unknown>): Promise<{ readonly responses: readonly ForeignOffsets[] }>;
  fetch(request: Record<string, unknown>): Promise<{
    readonly errorCode?: number;
    /** How long a quota has the next request wait, which kafkajs does. Brokers before 2.0 hold the answer back instead. */
    readonly clientSideThrottleTime?: number;
    readonly responses: readonly { readonly topicName: string; readonly partitions: readonly ForeignFetched[] }[];
  }>;
  offsetFetch(request: Record<string, unknown>): Promise<{
    readonly errorCode?: number;
    readonly responses: readonly ForeignOffsets[];
  }>;
  offsetCommit(request: Record<string, unknown>): Promise<{
    readonly responses: readonly ForeignOffsets[];
  }>;
  describeConfigs(request: Record<string, unknown>): Promise<{
    readonly resources: readonly {
      readonly configEntries: readonly { readonly configName: string; readonly configValue: string | null }[];
    }[];
  }>;
  heartbeat(request: Record<string, unknown>): Promise<unknown>;
  leaveGroup(request: Record<string, unknown>): Promise<unknown>;
}

/** One topic of an answer about offsets, errors included. */
export interface ForeignOffsets {
  readonly topic: string;
  readonly partitions: readonly {
    readonly partition: number;
    readonly offset?: string;
    readonly metadata?: string | null;
    readonly errorCode: number;
  }[];
}

/** One partition's share of a fetch. */
export interface ForeignFetched {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly abortedTransactions?: readonly { readonly producerId: string; readonly firstOffset: string }[] | null;
  readonly messages: FetchedMessages;
}

export interface ConsumerGroup {
  coordinator: Broker | null;
  generationId: number | null;
  memberId: string | null;
  topics: readonly string[];
  topicsSubscribed: readonly string[];
  joinAndSync(): Promise<void>;
  assigned(): readonly { readonly topic: string; readonly partitions: readonly number[] }[];
}
