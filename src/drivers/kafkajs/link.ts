import { ConnectError } from '../../core/errors.js';
import type { KafkaSubscription, PartitionOffset, TopicPartition } from '../../ports/kafka-consumer.js';
import { connectWithin, openCluster, READ_COMMITTED, RETRY } from './cluster.js';
import type { Broker, Cluster, ConsumerGroup, ForeignFetched, ForeignOffsets, Internals } from './internals.js';
import type { Notices } from './notices.js';
import type { CheckedOptions } from './options.js';
import { type OpenSocket, Sockets } from './sockets.js';
import { resolveTopics } from './topics.js';

/** Who we are in the group, for one generation of it. */
export interface Membership {
  readonly generationId: number;
  readonly memberId: string;
  readonly partitions: readonly TopicPartition[];
}

export interface Fetched extends ForeignFetched {
  readonly topic: string;
}

const EARLIEST = true;
const MOST_FETCH_BYTES = 16 << 20;

/**
 * One connection to a cluster and one member of a group, as plain requests: kafkajs speaks the protocol, finds brokers,
 * authenticates and shares partitions out; when to ask what is decided elsewhere.
 */
export class Link {
  readonly sockets: Sockets;
  readonly #options: CheckedOptions;
  readonly #subscription: KafkaSubscription;
  readonly #notices: Notices;
  readonly #cluster: Cluster;
  readonly #group: ConsumerGroup;
  readonly #createErrorFromCode: Internals['createErrorFromCode'];

  constructor(
    internals: Internals,
    options: CheckedOptions,
    subscription: KafkaSubscription,
    notices: Notices,
    open: OpenSocket,
    memberId: string | null,
  ) {
    this.#options = options;
    this.#subscription = subscription;
    this.#notices = notices;
    this.sockets = new Sockets(open);
    this.#createErrorFromCode = internals.createErrorFromCode;
    const { cluster, logger, instrumentationEmitter } = openCluster(internals, options, notices, this.sockets);
    this.#cluster = cluster;
    this.#group = new internals.ConsumerGroup({
      logger,
      instrumentationEmitter,
      cluster,
      groupId: subscription.groupId,
      topics: [],
      topicConfigurations: {},
      assigners: [internals.roundRobin({ cluster })],
      sessionTimeout: subscription.sessionTimeoutMs,
      rebalanceTimeout: options.rebalanceTimeoutMs,
      autoCommit: false,
      isolationLevel: READ_COMMITTED,
      metadataMaxAge: options.metadataMaxAgeMs,
      retry: { ...RETRY, retries: 0 },
    });
    this.#group.memberId = memberId;
  }

  get memberId(): string | null {
    return this.#group.memberId;
  }

  set memberId(memberId: string | null) {
    this.#group.memberId = memberId;
  }

  /** Reaches the cluster and finds the topics, within `connectTimeoutMs`. Fails with `ConnectError`. */
  async connect(): Promise<void> {
    const connect = async () => {
      await this.#cluster.connect();
      await this.#subscribeTo(await this.findTopics());
    };
    await connectWithin(connect, this.#options, this.#notices);
  }

  /** The names of the topics that are subscribed to, as they exist now. */
  async findTopics(): Promise<string[]> {
    const broker = await this.#cluster.brokerPool.findConnectedBroker();
    return resolveTopics(this.#subscription.topics, (names) => this.#asked(broker, names));
  }

  async #asked(broker: Broker, names: readonly string[]): Promise<{ topic: string; isInternal?: boolean }[]> {
    return [...(await broker.metadata(names)).topicMetadata];
  }

  async #subscribeTo(topics: readonly string[]): Promise<void> {
    this.#group.topics = topics;
    this.#group.topicsSubscribed = topics;
    await this.#cluster.addMultipleTargetTopics(topics);
  }

  /** How many partitions each subscribed topic has, as a text to compare with an earlier one. */
  async layout(): Promise<string> {
    const topics = this.#subscription.topics instanceof RegExp ? await this.findTopics() : this.#group.topicsSubscribed;
    await this.#subscribeTo(topics);
    await this.#cluster.refreshMetadata();
    return this.knownLayout();
  }

  knownLayout(): string {
    return [...this.#group.topicsSubscribed]
      .sort()
      .map((topic) => `${topic}=${this.#cluster.findTopicPartitionMetadata(topic).length}`)
      .join(' ');
  }

  async join(): Promise<Membership> {
    await this.#group.joinAndSync();
    const { generationId, memberId } = this.#group;
    const partitions = this.#group
      .assigned()
      .flatMap(({ topic, partitions: numbers }) => numbers.map((partition) => ({ topic, partition })))
      .sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
    return { generationId: generationId ?? -1, memberId: memberId ?? '', partitions };
  }

  async heartbeat({ generationId, memberId }: Membership): Promise<void> {
    const { groupId } = this.#subscription;
    await this.#coordinator().heartbeat({ groupId, memberId, groupGenerationId: generationId });
  }

  async commit({ generationId, memberId }: Membership, offsets: readonly PartitionOffset[]): Promise<void> {
    const { groupId } = this.#subscription;
    const topics = byTopic(offsets, ({ partition, offset }) => ({ partition, offset: String(offset) }));
    await this.#coordinator().offsetCommit({ groupId, memberId, groupGenerationId: generationId, topics });
  }

  /** Asks anew who keeps the group; the one we knew has gone or handed it over. */
  async findCoordinator(): Promise<void> {
    this.#group.coordinator = await this.#cluster.findGroupCoordinator({ groupId: this.#subscription.groupId });
  }

  /** The group's committed offsets, of those partitions that have one. */
  async committed(partitions: readonly TopicPartition[]): Promise<PartitionOffset[]> {
    const { groupId } = this.#subscription;
    const topics = byTopic(partitions, ({ partition }) => ({ partition }));
    const { responses } = await this.#coordinator().offsetFetch({ groupId, topics });
    return flatten(responses).filter(({ offset }) => offset >= 0);
  }

  /** The first offset that the log still has, or the one after its last, of each partition. */
  async bounds(partitions: readonly TopicPartition[], startAt: 'earliest' | 'latest'): Promise<PartitionOffset[]> {
    const topics = byTopic(partitions, ({ partition }) => ({ partition }));
    const fromBeginning = startAt === 'earliest' ? EARLIEST : !EARLIEST;
    return flatten(await this.#cluster.fetchTopicsOffset(topics.map((topic) => ({ ...topic, fromBeginning }))));
  }

  /** The broker that leads a partition, or undefined where nobody does at the moment. */
  leaderOf({ topic, partition }: TopicPartition): number | undefined {
    const known = this.#cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition);
    return known === undefined || known.leader < 0 ? undefined : known.leader;
  }

  async fetch(nodeId: number, positions: readonly PartitionOffset[]): Promise<Fetched[]> {
    const { maxPartitionBytes, maxWaitMs } = this.#subscription;
    const broker = await this.#cluster.findBroker({ nodeId });
    const { errorCode, responses } = await broker.fetch({
      maxWaitTime: maxWaitMs,
      minBytes: 1,
      maxBytes: Math.max(maxPartitionBytes, Math.min(maxPartitionBytes * positions.length, MOST_FETCH_BYTES)),
      isolationLevel: READ_COMMITTED,
      topics: byTopic(positions, ({ partition, offset }) => ({
        partition,
        fetchOffset: String(offset),
        maxBytes: maxPartitionBytes,
      })),
    });
    if (errorCode) throw this.errorOf(errorCode);
    return responses.flatMap(({ topicName: topic, partitions }) => partitions.map((one) => ({ ...one, topic })));
  }

  errorOf(code: number): Error {
    return this.#createErrorFromCode(code);
  }

  async refreshMetadata(): Promise<void> {
    await this.#cluster.refreshMetadata();
  }

  /** Drops the sockets of a broker that did not answer: kafkajs would go on asking through them. */
  forget(error: unknown): void {
    const { name, broker } = error as { name?: string; broker?: string };
    if (name === 'KafkaJSRequestTimeoutError' && broker !== undefined) this.sockets.destroyTo(broker);
  }

  /** The same for the coordinator. */
  forgetCoordinator(): void {
    const { coordinator } = this.#group;
    if (coordinator !== null) this.sockets.destroyTo(coordinator.brokerAddress);
  }

  async leave(): Promise<void> {
    const { memberId, coordinator } = this.#group;
    if (memberId === null || memberId === '' || coordinator === null) return;
    this.#group.memberId = null;
    await coordinator.leaveGroup({ groupId: this.#subscription.groupId, memberId });
  }

  destroy(): void {
    this.sockets.destroy();
  }

  #coordinator(): Broker {
    const { coordinator } = this.#group;
    if (coordinator === null) throw new ConnectError('RXF_KAFKA_UNREACHABLE', 'The group has no coordinator yet.');
    return coordinator;
  }
}

function byTopic<P extends TopicPartition, T>(
  partitions: readonly P[],
  make: (partition: P) => T,
): { topic: string; partitions: T[] }[] {
  const topics = new Map<string, T[]>();
  for (const partition of partitions) {
    const known = topics.get(partition.topic);
    if (known === undefined) topics.set(partition.topic, [make(partition)]);
    else known.push(make(partition));
  }
  return [...topics].map(([topic, list]) => ({ topic, partitions: list }));
}

function flatten(topics: readonly ForeignOffsets[]): PartitionOffset[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) })),
  );
}
