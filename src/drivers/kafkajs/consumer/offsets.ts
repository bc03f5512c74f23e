import type { CommittedOffset, TopicPartition } from '../../../ports/kafka-consumer.js';
import { meaningOf } from '../errors.js';
import type { Meaning } from '../records/read-answers.js';
import type { ForeignOffsets } from '../vendor/internals.js';

/** A partition that an answer leaves out, and why. */
export interface Rejected extends TopicPartition {
  readonly error: unknown;
}

/** Offsets, of the partitions for which there was an answer. */
export interface Offsets {
  readonly offsets: readonly CommittedOffset[];
  readonly rejected: readonly Rejected[];
}

interface AnsweredPartition extends CommittedOffset {
  readonly errorCode: number;
}

const OF_THE_GROUP: ReadonlySet<Meaning> = new Set(['moved', 'rebalance', 'stale', 'denied']);

/** Takes apart what was answered and what was rejected. Throws where an answer about one concerns the whole group. */
export function takenApart(topics: readonly ForeignOffsets[], errorOf: (code: number) => Error): Offsets {
  const rejected: Rejected[] = [];
  const offsets: CommittedOffset[] = [];
  for (const { errorCode, ...position } of flatten(topics)) {
    const { topic, partition } = position;
    if (errorCode === 0) {
      offsets.push(position);
      continue;
    }
    const error = errorOf(errorCode);
    if (OF_THE_GROUP.has(meaningOf(error))) throw error;
    rejected.push({ topic, partition, error });
  }
  return { offsets, rejected };
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

/** What the leaders of partitions answer, each asked about its own. One that fails has answered for nothing that others lead. */
export async function fromLeaders(
  partitions: readonly TopicPartition[],
  leaderOf: (partition: TopicPartition) => number | undefined,
  noLeader: () => Error,
  ask: (leader: number, led: readonly TopicPartition[]) => Promise<Offsets>,
): Promise<Offsets> {
  const leaders = new Map<number, TopicPartition[]>();
  const rejected: Rejected[] = [];
  for (const { topic, partition } of partitions) {
    const leader = leaderOf({ topic, partition });
    if (leader === undefined) rejected.push({ topic, partition, error: noLeader() });
    else leaders.set(leader, [...(leaders.get(leader) ?? []), { topic, partition }]);
  }
  const asked = [...leaders].map(([leader, led]) =>
    ask(leader, led).catch(
      (error: unknown): Offsets => ({ offsets: [], rejected: led.map((one) => ({ ...one, error })) }),
    ),
  );
  const answers = await Promise.all(asked);
  return {
    offsets: answers.flatMap(({ offsets }) => offsets),
    rejected: [...rejected, ...answers.flatMap((answer) => answer.rejected)],
  };
}

function flatten(topics: readonly ForeignOffsets[]): AnsweredPartition[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, offset, metadata, errorCode }) => ({
      topic,
      partition,
      offset: Number(offset ?? -1),
      ...emptyFromOf(metadata),
      errorCode,
    })),
  );
}

/** What a commit says beside its offset, in the words that Kafka keeps for us; nothing where it says nothing. */
export function metadataOf({ emptyFrom }: CommittedOffset): string | null {
  return emptyFrom === undefined ? null : `rxflume empty-from ${emptyFrom}`;
}

function emptyFromOf(metadata: string | null | undefined): { readonly emptyFrom?: number } {
  const said = /^rxflume empty-from (\d{1,16})$/.exec(metadata ?? '');
  return said === null ? {} : { emptyFrom: Number(said[1]) };
}
