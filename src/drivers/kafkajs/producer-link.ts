import { SinkError } from '../../core/errors.js';
import type { PartitionOffset, TopicPartition } from '../../ports/kafka-consumer.js';
import { connectWithin, openCluster } from './cluster.js';
import type { Broker, Cluster, Internals, PartitionMetadata } from './internals.js';
import type { Notices } from './notices.js';
import type { CheckedOptions } from './options.js';
import {
  type PartitionBatch,
  type Produced,
  produceRequest,
  STABLE_OFFSETS_VERSION,
  stableOffsetsRequest,
} from './producer-requests.js';
import { type OpenSocket, Sockets } from './sockets.js';

/** Who produces: the broker knows it by these, and fences a lower epoch. */
export interface ProducerId {
  readonly producerId: bigint;
  readonly epoch: number;
}

const GROUP = 0;
const TRANSACTION = 1;
const OFFSET_FETCH = 9;

/** A connection to a cluster for writing, as plain requests; when to ask again is decided elsewhere. */
export class ProducerLink {
  readonly sockets: Sockets;
  readonly #options: CheckedOptions;
  readonly #internals: Internals;
  readonly #notices: Notices;
  readonly #cluster: Cluster;

  constructor(internals: Internals, options: CheckedOptions, notices: Notices, open: OpenSocket) {
    this.#options = options;
    this.#internals = internals;
    this.#notices = notices;
    this.sockets = new Sockets(open);
    this.#cluster = openCluster(internals, options, notices, this.sockets).cluster;
  }

  /** Fails with `ConnectError`. */
  async connect(): Promise<void> {
    await connectWithin(() => this.#cluster.connect(), this.#options, this.#notices);
  }

  /** The partitions of a topic. Fails where there is no such topic, or it is not ours to see. */
  async partitionsOf(topic: string): Promise<readonly PartitionMetadata[]> {
    await this.#cluster.addMultipleTargetTopics([topic]);
    const known = this.#cluster.brokerPool.metadata?.topicMetadata.find((one) => one.topic === topic);
    if (known === undefined || known.topicErrorCode !== 0) this.#cluster.targetTopics.delete(topic);
    if (known !== undefined && known.topicErrorCode !== 0) throw this.errorOf(known.topicErrorCode);
    return known?.partitionMetadata ?? [];
  }

  /** Learns of new partitions once `metadataMaxAgeMs` is over. */
  async refreshIfOld(): Promise<void> {
    await this.#cluster.refreshMetadataIfNecessary();
    this.#dropUnknown();
  }

  async refresh(): Promise<void> {
    await this.#cluster.refreshMetadata();
    this.#dropUnknown();
  }

  /** A topic that was deleted, or is not ours any more, is asked about anew when something is to be written to it. */
  #dropUnknown(): void {
    for (const { topic, topicErrorCode } of this.#cluster.brokerPool.metadata?.topicMetadata ?? []) {
      if (topicErrorCode !== 0) this.#cluster.targetTopics.delete(topic);
    }
  }

  leaderOf({ topic, partition }: TopicPartition): number | undefined {
    const known = this.#cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition);
    return known === undefined || known.leader < 0 ? undefined : known.leader;
  }

  async produce(
    nodeId: number,
    transactionalId: string | null,
    batches: readonly PartitionBatch[],
  ): Promise<readonly Produced[]> {
    const broker = await this.#cluster.findBroker({ nodeId });
    const { requestTimeoutMs } = this.#options;
    const request = produceRequest(
      this.#internals,
      (apiKey) => versionOf(broker, apiKey),
      transactionalId,
      requestTimeoutMs,
      batches,
    );
    return broker.connectionPool.send(request);
  }

  /** A fresh id for an idempotent producer, which any broker gives. */
  async newProducerId(): Promise<ProducerId> {
    const broker = await this.#cluster.brokerPool.findConnectedBroker();
    return idOf(await broker.initProducerId({ transactionTimeout: this.#options.requestTimeoutMs }));
  }

  /** The next epoch of a transactional id: whoever had it is fenced. */
  async takeProducerId(transactionalId: string, transactionTimeout: number): Promise<ProducerId> {
    const broker = await this.coordinatorOf(transactionalId);
    return idOf(await broker.initProducerId({ transactionalId, transactionTimeout }));
  }

  /** Who keeps the transactions of an id. */
  async coordinatorOf(transactionalId: string): Promise<Broker> {
    return this.#cluster.findGroupCoordinator({ groupId: transactionalId, coordinatorType: TRANSACTION });
  }

  async groupCoordinator(groupId: string): Promise<Broker> {
    return this.#cluster.findGroupCoordinator({ groupId, coordinatorType: GROUP });
  }

  /** The group's offsets that no transaction is changing. Fails while one is. */
  async stableOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<PartitionOffset[]> {
    const broker = await this.groupCoordinator(groupId);
    if (versionOf(broker, OFFSET_FETCH) < STABLE_OFFSETS_VERSION) {
      throw new SinkError(
        'RXF_KAFKA_REFUSED',
        `Kafka at ${broker.brokerAddress} is older than 2.5, and cannot tell which offsets are settled. Upgrade it, or leave ` +
          '`resumeFrom` out: the flow is at least once then.',
      );
    }
    const { errorCode, offsets } = await broker.connectionPool.send(
      stableOffsetsRequest(this.#internals, groupId, byTopic(partitions)),
    );
    const failed = errorCode || (offsets.find((one) => one.errorCode !== 0)?.errorCode ?? 0);
    if (failed !== 0) throw this.errorOf(failed);
    return offsets
      .filter(({ offset }) => offset >= 0)
      .map(({ topic, partition, offset }) => ({ topic, partition, offset }));
  }

  errorOf(code: number): Error {
    return this.#internals.createErrorFromCode(code);
  }

  /** Drops the sockets of a broker that did not answer: kafkajs would go on asking through them. */
  forget(error: unknown): void {
    const { name, broker } = error as { name?: string; broker?: string };
    if (name === 'KafkaJSRequestTimeoutError' && broker !== undefined) this.sockets.destroyTo(broker);
  }

  destroy(): void {
    this.sockets.destroy();
  }
}

function versionOf({ versions }: Broker, apiKey: number): number {
  return versions[apiKey]?.maxVersion ?? 0;
}

function idOf({ producerId, producerEpoch }: { producerId: string; producerEpoch: number }): ProducerId {
  return { producerId: BigInt(producerId), epoch: producerEpoch };
}

function byTopic(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of partitions) topics.set(topic, [...(topics.get(topic) ?? []), partition]);
  return [...topics].map(([topic, numbers]) => ({ topic, partitions: numbers }));
}
