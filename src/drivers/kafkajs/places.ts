import type { PartitionOffset, TopicPartition } from '../../ports/kafka-consumer.js';
import { meaningOf } from './errors.js';
import type { Meaning } from './read-answers.js';

/** A partition that an answer leaves out, and why. */
export interface Refused extends TopicPartition {
  readonly error: unknown;
}

/** Offsets, of the partitions for which there was an answer. */
export interface Places {
  readonly places: readonly PartitionOffset[];
  readonly refused: readonly Refused[];
}

interface AnsweredPartition extends PartitionOffset {
  readonly errorCode: number;
}

/** One topic of an answer about offsets, errors included. */
export interface AnsweredTopic {
  readonly topic: string;
  readonly partitions: readonly {
    readonly partition: number;
    readonly offset?: string;
    readonly errorCode: number;
  }[];
}

const OF_THE_GROUP: ReadonlySet<Meaning> = new Set(['moved', 'rebalance', 'stale', 'denied']);

/** Takes apart what was answered and what was refused. Throws where an answer about one is about all: the group's. */
export function takenApart(topics: readonly AnsweredTopic[], errorOf: (code: number) => Error): Places {
  const refused: Refused[] = [];
  const places: PartitionOffset[] = [];
  for (const { topic, partition, offset, errorCode } of flatten(topics)) {
    if (errorCode === 0) {
      places.push({ topic, partition, offset });
      continue;
    }
    const error = errorOf(errorCode);
    if (OF_THE_GROUP.has(meaningOf(error))) throw error;
    refused.push({ topic, partition, error });
  }
  return { places, refused };
}

export function byTopic<P extends TopicPartition, T>(
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

function flatten(topics: readonly AnsweredTopic[]): AnsweredPartition[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, offset, errorCode }) => ({
      topic,
      partition,
      offset: Number(offset ?? -1),
      errorCode,
    })),
  );
}
