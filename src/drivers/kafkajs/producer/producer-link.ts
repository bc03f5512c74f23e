import { SinkError } from '../../../core/errors.js';
import type { PartitionOffset, TopicPartition } from '../../../ports/kafka-consumer.js';
import { byTopic } from '../consumer/offsets.js';
import type { DriverLog } from '../driver-log.js';
import type { Setting } from '../errors.js';
import { type CheckedOptions, secretsOf } from '../options.js';
import { ClusterLink } from '../vendor/cluster-link.js';
import type { Broker, Cluster, Internals } from '../vendor/internals.js';
import type { OpenSocket } from '../vendor/sockets.js';
import { rejectionFor } from './producer-answers.js';
import {
  type ClusterMetadata,
  metadataRequest,
  type PartitionBatch,
  type Produced,
  produceRequest,
  STABLE_OFFSETS_VERSION,
  stableOffsetsRequest,
} from './producer-requests.js';
import { WritableTopics } from './writable-topics.js';

/** Who produces: the broker knows it by these, and fences a lower epoch. */
export interface ProducerId {
  readonly producerId: bigint;
  readonly epoch: number;
}

const GROUP = 0;
const TRANSACTION = 1;
const OFFSET_FETCH = 9;
/** Of the two connections that kafkajs has to each broker, the one for fetches, which a producer has none of. */
const APART = 1;

/** A connection to a cluster for writing, as plain requests; when to ask again is decided elsewhere. */
export class ProducerLink extends ClusterLink {
  readonly topics: WritableTopics;

  constructor(internals: Internals, options: CheckedOptions, driverLog: DriverLog, open: OpenSocket) {
    super(internals, options, driverLog, open);
    asksForBrokersOnly(this.cluster, (broker) => this.#metadataOf(broker, []));
    const setting: Setting = { brokers: options.brokers, secrets: secretsOf(options) };
    this.topics = new WritableTopics({
      ask: async (topics) => (await this.#metadataOf(await this.#anyBroker(), topics)).topicMetadata,
      errorOf: (code) => this.errorOf(code),
      rejection: (topic, error) => rejectionFor(topic, error, setting),
      maxAgeMs: options.metadataMaxAgeMs,
    });
  }

  #anyBroker(): Promise<Broker> {
    return this.cluster.brokerPool.findConnectedBroker();
  }

  #metadataOf(broker: Broker, topics: readonly string[]): Promise<ClusterMetadata> {
    const request = metadataRequest(this.internals, (apiKey) => versionOf(broker, apiKey), topics);
    return broker.connectionPool.send(request);
  }

  /** `isApart`: over a connection of its own, since a broker answers the requests of one connection in order. */
  async produce(
    nodeId: number,
    transactionalId: string | null,
    batches: readonly PartitionBatch[],
    isApart = false,
  ): Promise<readonly Produced[]> {
    const broker = await this.cluster.findBroker({ nodeId });
    const { requestTimeoutMs } = this.options;
    const request = produceRequest(
      this.internals,
      (apiKey) => versionOf(broker, apiKey),
      transactionalId,
      requestTimeoutMs,
      batches,
    );
    const { connectionPool } = broker;
    const connection = isApart ? await connectionPool.getConnection(APART) : connectionPool;
    return connection.send(request);
  }

  /** A fresh id for an idempotent producer, which any broker gives. */
  async newProducerId(): Promise<ProducerId> {
    const broker = await this.#anyBroker();
    return idOf(await broker.initProducerId({ transactionTimeout: this.options.requestTimeoutMs }));
  }

  /** The next epoch of a transactional id: the producer that had it is fenced. */
  async takeProducerId(transactionalId: string, transactionTimeout: number): Promise<ProducerId> {
    const broker = await this.coordinatorOf(transactionalId);
    return idOf(await broker.initProducerId({ transactionalId, transactionTimeout }));
  }

  /** Who keeps the transactions of an id. */
  async coordinatorOf(transactionalId: string): Promise<Broker> {
    return this.cluster.findGroupCoordinator({ groupId: transactionalId, coordinatorType: TRANSACTION });
  }

  async groupCoordinator(groupId: string): Promise<Broker> {
    return this.cluster.findGroupCoordinator({ groupId, coordinatorType: GROUP });
  }

  /** The group's offsets that no transaction is changing. Fails while one is. */
  async stableOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<PartitionOffset[]> {
    const broker = await this.groupCoordinator(groupId);
    if (versionOf(broker, OFFSET_FETCH) < STABLE_OFFSETS_VERSION) {
      throw new SinkError(
        'RXF_KAFKA_REJECTED',
        `Kafka at ${broker.brokerAddress} is older than 2.5 and does not report which offsets are stable. Upgrade it, or omit ` +
          '`resumeFrom`; the flow is then at least once.',
      );
    }
    const { errorCode, offsets } = await broker.connectionPool.send(
      stableOffsetsRequest(
        this.internals,
        groupId,
        byTopic(partitions, ({ partition }) => partition),
      ),
    );
    const failed = errorCode || (offsets.find((one) => one.errorCode !== 0)?.errorCode ?? 0);
    if (failed !== 0) throw this.errorOf(failed);
    return offsets
      .filter(({ offset }) => offset >= 0)
      .map(({ topic, partition, offset }) => ({ topic, partition, offset }));
  }
}

/** kafkajs asks for all topics where it knows none, and then takes an error of one for an error of the cluster. */
function asksForBrokersOnly({ brokerPool }: Cluster, ask: (broker: Broker) => Promise<ClusterMetadata>): void {
  const create = brokerPool.createBroker;
  brokerPool.createBroker = (options) => {
    const broker = create(options);
    return Object.assign(broker, { metadata: () => ask(broker) });
  };
}

function versionOf({ versions }: Broker, apiKey: number): number {
  return versions[apiKey]?.maxVersion ?? 0;
}

function idOf({ producerId, producerEpoch }: { producerId: string; producerEpoch: number }): ProducerId {
  return { producerId: BigInt(producerId), epoch: producerEpoch };
}
