import type { PartitionOffset, TopicPartition } from '../../../ports/kafka-consumer.js';
import { retentionOf } from '../consumer/log-facts.js';
import { byTopic, takenApart } from '../consumer/offsets.js';
import { ClusterLink, READ_COMMITTED } from '../vendor/cluster-link.js';
import type { Broker, ForeignFetched } from '../vendor/internals.js';
import { clusterRequest, groupRequest, type KnownCluster, type KnownGroup } from './probe-requests.js';

const EARLIEST = '-2';
const LATEST = '-1';
/** The number by which Kafka calls a topic where its settings are asked for. */
const TOPIC_RESOURCE = 2;
const FETCH_WAIT_MS = 100;
/** The number of a request that Kafka knows since 3.0. */
const DESCRIBE_TRANSACTIONS = 65;

/** Offsets of one leader's partitions, by partition. */
export type OffsetsOf = ReadonlyMap<string, number>;

export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/** A connection to a cluster that only asks: it joins no group, commits nothing and writes nothing. */
export class ProbeLink extends ClusterLink {
  /** `isBefore3`: an idempotent producer needs a right on the cluster, later only that on a topic (KIP-679). */
  async known(topics: readonly string[] | undefined): Promise<KnownCluster & { readonly isBefore3: boolean }> {
    const broker = await this.#anyBroker();
    const known = await broker.connectionPool.send(clusterRequest(this.internals, topics));
    return { ...known, isBefore3: broker.versions[DESCRIBE_TRANSACTIONS] === undefined };
  }

  /** Learns who leads the partitions of these topics. */
  async learn(topics: readonly string[]): Promise<void> {
    await this.cluster.addMultipleTargetTopics(topics);
  }

  #anyBroker(): Promise<Broker> {
    return this.cluster.brokerPool.findConnectedBroker();
  }

  async group(groupId: string): Promise<KnownGroup> {
    const coordinator = await this.cluster.findGroupCoordinator({ groupId });
    return coordinator.connectionPool.send(groupRequest(this.internals, groupId));
  }

  /** The group's committed offsets, of those partitions that have one. */
  async committed(groupId: string, partitions: readonly TopicPartition[]): Promise<OffsetsOf> {
    const coordinator = await this.cluster.findGroupCoordinator({ groupId });
    const topics = byTopic(partitions, ({ partition }) => ({ partition }));
    const { responses, errorCode } = await coordinator.offsetFetch({ groupId, topics });
    if (errorCode) throw this.errorOf(errorCode);
    return offsetsIn(takenApart(responses, this.errorOf).offsets);
  }

  /** Where the logs of one leader's partitions begin and end, and from where on their records are later than `laterThanMs`. */
  async bounds(
    nodeId: number,
    led: readonly TopicPartition[],
    laterThanMs: number,
  ): Promise<{ readonly first: OffsetsOf; readonly end: OffsetsOf; readonly later: OffsetsOf }> {
    const broker = await this.cluster.findBroker({ nodeId });
    const ask = async (timestamp: string) => {
      const topics = byTopic(led, ({ partition }) => ({ partition, timestamp }));
      const { responses } = await broker.listOffsets({ isolationLevel: READ_COMMITTED, topics });
      return offsetsIn(takenApart(responses, this.errorOf).offsets);
    };
    const [first, end, later] = await Promise.all([ask(EARLIEST), ask(LATEST), ask(String(laterThanMs))]);
    return { first, end, later };
  }

  /** How long a topic keeps a record; undefined where it does not delete by age. Fails where it is not ours to see. */
  async retentionMs(topic: string): Promise<number | undefined> {
    const broker = await this.#anyBroker();
    const asked = { type: TOPIC_RESOURCE, name: topic, configNames: ['retention.ms', 'cleanup.policy'] };
    const { resources } = await broker.describeConfigs({ resources: [asked] });
    const entries = resources.flatMap(({ configEntries }) => configEntries);
    return retentionOf(new Map(entries.map(({ configName, configValue }) => [configName, configValue])));
  }

  /** When the record at a position was written, or that of its batch's first record; undefined where nothing is there. */
  async writtenMs(nodeId: number, { topic, partition, offset }: PartitionOffset): Promise<number | undefined> {
    const broker = await this.cluster.findBroker({ nodeId });
    const { errorCode, responses } = await broker.fetch({
      maxWaitTime: FETCH_WAIT_MS,
      minBytes: 1,
      // A broker sends the first batch whole, however large.
      maxBytes: 1,
      isolationLevel: READ_COMMITTED,
      topics: [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes: 1 }] }],
    });
    const answer = responses[0]?.partitions[0];
    if (errorCode) throw this.errorOf(errorCode);
    if (answer?.errorCode) throw this.errorOf(answer.errorCode);
    return answer === undefined ? undefined : timeIn(answer);
  }
}

function timeIn({ messages: { batches, records } }: ForeignFetched): number | undefined {
  const batch = batches?.[0];
  if (batch !== undefined) return batch.appendedAt ?? batch.firstTimestamp;
  const timestamp = records[0]?.timestamp;
  return timestamp === undefined ? undefined : Number(timestamp);
}

function offsetsIn(offsets: readonly PartitionOffset[]): OffsetsOf {
  return new Map(offsets.filter(({ offset }) => offset >= 0).map((one) => [keyOf(one), one.offset]));
}
