import { ConnectError } from '../../../core/errors.js';
import type {
  CommittedOffset,
  KafkaSubscription,
  PartitionOffset,
  TopicPartition,
} from '../../../ports/kafka-consumer.js';
import { byTopic, fromLeaders, metadataOf, type Offsets, type Rejected, takenApart } from '../consumer/offsets.js';
import { byOwnTopics } from '../consumer/sharing.js';
import { METADATA, TOPIC_IDS_VERSION, type TopicIds, topicIdsRequest } from '../consumer/topic-ids.js';
import { type KnownTopic, resolveTopics } from '../consumer/topics.js';
import type { DriverLog } from '../driver-log.js';
import { reasonOf } from '../errors.js';
import type { CheckedOptions } from '../options.js';
import { ClusterLink, READ_COMMITTED, RETRY } from './cluster-link.js';
import type { Broker, ConsumerGroup, ForeignFetched, Internals } from './internals.js';
import { watchMember } from './member-requests.js';
import type { OpenSocket } from './sockets.js';

/** Who we are in the group, for one generation of it. */
export interface Membership {
  readonly generationId: number;
  readonly memberId: string;
  readonly partitions: readonly TopicPartition[];
}

export interface Fetched extends ForeignFetched {
  readonly topic: string;
}

const EARLIEST = '-2';
const LATEST = '-1';
const LEADER_NOT_AVAILABLE = 5;
const MAX_FETCH_BYTES = 16 << 20;
/** The number by which Kafka calls a topic where its settings are asked for. */
const TOPIC_RESOURCE = 2;

/**
 * One connection to a cluster and one member of a group, as plain requests: kafkajs speaks the protocol, finds brokers,
 * authenticates and shares partitions out; when to ask what is decided elsewhere.
 */
export class Link extends ClusterLink {
  protected readonly subscription: KafkaSubscription;
  readonly #group: ConsumerGroup;
  /** By broker. */
  readonly #throttledUntil = new Map<number, number>();
  #isJoining = false;
  /** By which the group knows us since we asked to join, though it has not answered. */
  #joiningAs: string | undefined;

  constructor(
    internals: Internals,
    options: CheckedOptions,
    subscription: KafkaSubscription,
    driverLog: DriverLog,
    open: OpenSocket,
    memberId: string | null,
  ) {
    super(internals, options, driverLog, open);
    const { cluster } = this;
    this.subscription = subscription;
    this.#group = new internals.ConsumerGroup({
      ...this.shared,
      cluster,
      groupId: subscription.groupId,
      topics: [],
      topicConfigurations: {},
      assigners: [byOwnTopics(internals, cluster, driverLog)],
      sessionTimeout: subscription.sessionTimeoutMs,
      rebalanceTimeout: options.rebalanceTimeoutMs,
      autoCommit: false,
      isolationLevel: READ_COMMITTED,
      metadataMaxAge: options.metadataMaxAgeMs,
      retry: { ...RETRY, retries: 0 },
    });
    this.#group.memberId = memberId;
    const joining = (id: string) => {
      this.#joiningAs = id;
    };
    watchMember(cluster.brokerPool, { groupInstanceId: subscription.groupInstanceId, joining });
  }

  get memberId(): string | null {
    return this.#group.memberId;
  }

  set memberId(memberId: string | null) {
    this.#group.memberId = memberId;
  }

  /** The topics that are subscribed to, as they existed when that was looked up last. */
  get topics(): readonly string[] {
    return this.#group.topicsSubscribed;
  }

  protected override async begin(): Promise<void> {
    await super.begin();
    await this.#subscribeTo(await this.#findTopics());
  }

  /** The names of the topics that are subscribed to, as they exist now. */
  async #findTopics(): Promise<string[]> {
    const broker = await this.cluster.brokerPool.findConnectedBroker();
    const skipped = (topic: string, error: unknown) =>
      this.driverLog.skipped(
        `Topic ${topic} matches the pattern and cannot be read: ${reasonOf(error)}. Other topics are read; it is checked again.`,
      );
    return resolveTopics(
      this.subscription.topics,
      (names) => this.#known(broker, names),
      skipped,
      this.#group.topicsSubscribed,
    );
  }

  async #known(broker: Broker, names: readonly string[]): Promise<KnownTopic[]> {
    const { topicMetadata } = await broker.metadata(names);
    return topicMetadata.map(({ topic, isInternal = false, topicErrorCode }) =>
      topicErrorCode === 0 ? { topic, isInternal } : { topic, isInternal, error: this.errorOf(topicErrorCode) },
    );
  }

  async #subscribeTo(topics: readonly string[]): Promise<void> {
    this.#group.topics = topics;
    this.#group.topicsSubscribed = topics;
    for (const gone of [...this.cluster.targetTopics].filter((topic) => !topics.includes(topic)))
      this.cluster.targetTopics.delete(gone);
    await this.cluster.addMultipleTargetTopics(topics);
  }

  /** How many partitions each subscribed topic has, as a text to compare with an earlier one. */
  async layout(): Promise<string> {
    const before = this.knownLayout();
    await this.#subscribeTo(await this.#findTopics());
    await this.cluster.refreshMetadata();
    // A broker that has just started may not know a topic yet.
    const isUnsure = this.#group.topicsSubscribed.some((topic) => this.topicError(topic) !== undefined);
    return isUnsure ? before : this.knownLayout();
  }

  /** The ids of the subscribed topics that are there; undefined from a broker before 2.8, which has none. */
  async topicIds(): Promise<TopicIds | undefined> {
    const broker = await this.cluster.brokerPool.findConnectedBroker();
    if ((broker.versions[METADATA]?.maxVersion ?? 0) < TOPIC_IDS_VERSION) return undefined;
    return broker.connectionPool.send(topicIdsRequest(this.internals, this.#group.topicsSubscribed));
  }

  /** Every partition of the subscribed topics, as far as it is known. */
  knownPartitions(): TopicPartition[] {
    return this.#group.topicsSubscribed.flatMap((topic) =>
      this.cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => ({ topic, partition: partitionId })),
    );
  }

  knownLayout(): string {
    return [...this.#group.topicsSubscribed]
      .sort()
      .map((topic) => `${topic}=${this.cluster.findTopicPartitionMetadata(topic).length}`)
      .join(' ');
  }

  async join(): Promise<Membership> {
    this.#isJoining = true;
    try {
      await this.#group.joinAndSync();
    } finally {
      this.#isJoining = false;
    }
    const { generationId, memberId } = this.#group;
    const partitions = this.#group
      .assigned()
      .flatMap(({ topic, partitions: numbers }) => numbers.map((partition) => ({ topic, partition })))
      .sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
    return { generationId: generationId ?? -1, memberId: memberId ?? '', partitions };
  }

  async heartbeat({ generationId, memberId }: Membership): Promise<void> {
    const { groupId } = this.subscription;
    await this.coordinator().heartbeat({ groupId, memberId, groupGenerationId: generationId });
  }

  /** Answers those that were rejected by themselves. Fails where all were. */
  async commit(
    { generationId, memberId }: Membership,
    offsets: readonly CommittedOffset[],
  ): Promise<readonly Rejected[]> {
    const { groupId } = this.subscription;
    const topics = byTopic(offsets, (one) => ({
      partition: one.partition,
      offset: String(one.offset),
      metadata: metadataOf(one),
    }));
    const answer = await this.coordinator().offsetCommit({
      groupId,
      memberId,
      groupGenerationId: generationId,
      topics,
    });
    return takenApart(answer.responses, this.errorOf).rejected;
  }

  /** Asks anew who keeps the group; the one we knew has gone or handed it over. */
  async findCoordinator(): Promise<void> {
    this.#group.coordinator = await this.cluster.findGroupCoordinator({ groupId: this.subscription.groupId });
  }

  /** The group's committed offsets, of those partitions that have one. */
  async committed(partitions: readonly TopicPartition[]): Promise<Offsets> {
    const { groupId } = this.subscription;
    const topics = byTopic(partitions, ({ partition }) => ({ partition }));
    const { responses, errorCode } = await this.coordinator().offsetFetch({ groupId, topics });
    if (errorCode) throw this.errorOf(errorCode);
    const { offsets, rejected } = takenApart(responses, this.errorOf);
    return { offsets: offsets.filter(({ offset }) => offset >= 0), rejected };
  }

  /**
   * The first offset that the log still has, or the one after its last, of each partition; or that of the first record of a time or later,
   * −1 where there is none.
   */
  bounds(partitions: readonly TopicPartition[], startAt: 'earliest' | 'latest' | number): Promise<Offsets> {
    return fromLeaders(
      partitions,
      (one) => this.leaderOf(one),
      () => this.errorOf(LEADER_NOT_AVAILABLE),
      (leader, led) => this.#boundsBy(leader, led, startAt),
    );
  }

  async #boundsBy(
    nodeId: number,
    led: readonly TopicPartition[],
    startAt: 'earliest' | 'latest' | number,
  ): Promise<Offsets> {
    const broker = await this.cluster.findBroker({ nodeId });
    const timestamp = startAt === 'earliest' ? EARLIEST : startAt === 'latest' ? LATEST : String(startAt);
    const topics = byTopic(led, ({ partition }) => ({ partition, timestamp }));
    const { responses } = await broker.listOffsets({ isolationLevel: READ_COMMITTED, topics });
    return takenApart(responses, this.errorOf);
  }

  /** Some settings of a topic, as they are in force. Fails where they are not ours to see. */
  async topicSettings(topic: string, names: readonly string[]): Promise<ReadonlyMap<string, string | null>> {
    const broker = await this.cluster.brokerPool.findConnectedBroker();
    const asked = { type: TOPIC_RESOURCE, name: topic, configNames: names };
    const { resources } = await broker.describeConfigs({ resources: [asked] });
    const entries = resources.flatMap(({ configEntries }) => configEntries);
    return new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
  }

  /** Why a topic cannot be read, as the cluster said it last; undefined where it can. */
  topicError(topic: string): unknown {
    const code =
      this.cluster.brokerPool.metadata?.topicMetadata.find((one) => one.topic === topic)?.topicErrorCode ?? 0;
    return code === 0 ? undefined : this.errorOf(code);
  }

  /** The broker that leads a partition, or undefined where nobody does at the moment. */
  leaderOf({ topic, partition }: TopicPartition): number | undefined {
    const known = this.cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition);
    return known === undefined || known.leader < 0 ? undefined : known.leader;
  }

  async fetch(nodeId: number, positions: readonly PartitionOffset[]): Promise<Fetched[]> {
    const { maxPartitionBytes, maxWaitMs } = this.subscription;
    const broker = await this.cluster.findBroker({ nodeId });
    const {
      errorCode,
      responses,
      clientSideThrottleTime = 0,
    } = await broker.fetch({
      maxWaitTime: maxWaitMs,
      minBytes: 1,
      maxBytes: Math.max(maxPartitionBytes, Math.min(maxPartitionBytes * positions.length, MAX_FETCH_BYTES)),
      isolationLevel: READ_COMMITTED,
      topics: byTopic(positions, ({ partition, offset }) => ({
        partition,
        fetchOffset: String(offset),
        maxBytes: maxPartitionBytes,
      })),
    });
    this.#throttledUntil.set(nodeId, performance.now() + clientSideThrottleTime);
    if (errorCode) throw this.errorOf(errorCode);
    return responses.flatMap(({ topicName: topic, partitions }) => partitions.map((one) => ({ ...one, topic })));
  }

  /** Whether a quota of the broker has the next fetch wait. */
  isThrottled(nodeId: number): boolean {
    return (this.#throttledUntil.get(nodeId) ?? 0) > performance.now();
  }

  /** Drops the sockets of the coordinator, which did not answer. */
  forgetCoordinator(): void {
    const { coordinator } = this.#group;
    if (coordinator !== null) this.sockets.destroyTo(coordinator.brokerAddress);
  }

  /** Ends a joining: until the group answers, which may take long, the broker reads nothing else from the connection, so leaving needs another. */
  endJoining(): void {
    if (this.#isJoining) this.forgetCoordinator();
  }

  async leave(): Promise<void> {
    const { coordinator } = this.#group;
    const memberId = this.#group.memberId || this.#joiningAs;
    // A static member is expected back; who is not is missed when its session times out.
    const isStatic = this.subscription.groupInstanceId !== undefined;
    if (isStatic || memberId === undefined || coordinator === null) return;
    this.#group.memberId = null;
    this.#joiningAs = undefined;
    await coordinator.leaveGroup({ groupId: this.subscription.groupId, memberId });
  }

  protected coordinator(): Broker {
    const { coordinator } = this.#group;
    if (coordinator === null) throw new ConnectError('RXF_KAFKA_UNREACHABLE', 'The group has no coordinator yet.');
    return coordinator;
  }
}
