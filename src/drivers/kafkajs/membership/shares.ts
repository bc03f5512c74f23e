import type { TopicPartition } from '../../../ports/kafka-consumer.js';
import type { TopicIds } from '../consumer/topic-ids.js';
import type { TopicShare } from './heartbeat-frame.js';

/** A partition of a topic, and which making of that topic is meant. */
export interface NamedPartition extends TopicPartition {
  readonly topicId: string;
}

/** What an assignment is by the names of its topics, as far as they are known. */
export interface NamedShares {
  readonly partitions: readonly NamedPartition[];
  /** The ids of topics that we do not know. */
  readonly unknown: readonly string[];
}

export function namedShares(shares: readonly TopicShare[], ids: TopicIds): NamedShares {
  const names = new Map([...ids].map(([name, id]) => [id, name]));
  const known = shares.filter(({ topicId }) => names.has(topicId));
  return {
    partitions: known.flatMap(({ topicId, partitions }) =>
      partitions.map((partition) => ({ topic: names.get(topicId) as string, partition, topicId })),
    ),
    unknown: shares.filter(({ topicId }) => !names.has(topicId)).map(({ topicId }) => topicId),
  };
}

/** What is owned, as a heartbeat says it. */
export function sharesOf(owned: readonly Pick<NamedPartition, 'partition' | 'topicId'>[]): TopicShare[] {
  const shares = new Map<string, number[]>();
  for (const { topicId, partition } of owned) shares.set(topicId, [...(shares.get(topicId) ?? []), partition]);
  return [...shares].map(([topicId, partitions]) => ({ topicId, partitions: partitions.sort((a, b) => a - b) }));
}
