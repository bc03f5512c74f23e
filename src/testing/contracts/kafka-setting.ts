import type { KafkaDriver, KafkaSubscription, PartitionOffset } from '../../ports/kafka-consumer.js';
import { equal, freshName } from './checking.js';
import { KafkaTrace, kafkaSubscription } from './kafka-trace.js';

export interface ContractRecord {
  readonly value: string | null;
  readonly key?: string | null;
  readonly timestamp?: number;
}

/** A driver with the cluster behind it, as the contract needs it. Topics are made by the checks and left behind. */
export interface KafkaSubject {
  readonly driver: KafkaDriver;
  createTopic(topic: string, partitions: number): Promise<void>;
  produce(topic: string, partition: number, records: readonly ContractRecord[]): Promise<void>;
  /** The same in a transaction of its own, which ends so; its marker takes an offset. Left out where there are none. */
  transact?(
    topic: string,
    partition: number,
    records: readonly ContractRecord[],
    outcome: 'commit' | 'abort',
  ): Promise<void>;
  /** The group's committed offset, or −1. */
  committed(groupId: string, topic: string, partition: number): Promise<number>;
}

export interface KafkaCheck {
  readonly name: string;
  run(subject: KafkaSubject): Promise<void>;
}

/** How long it is waited where nothing must come, in milliseconds. */
export const QUIET_MS = 400;

export function values(count: number, from = 0): ContractRecord[] {
  return Array.from({ length: count }, (_, index) => ({ value: `v${from + index}` }));
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** What a check has: a topic of its own, which members join, and shorthands for it and its group. */
interface Given {
  readonly subject: KafkaSubject;
  readonly topic: string;
  readonly join: (given?: Partial<KafkaSubscription>, trace?: KafkaTrace) => KafkaTrace;
  readonly write: (partition: number, count: number, from?: number) => Promise<void>;
  readonly committed: (partition: number) => Promise<number>;
  readonly at: (partition: number, offset: number) => PartitionOffset;
}

/** `records`: how many there are in each partition of its topic at first. */
export function check(name: string, records: readonly number[], run: (given: Given) => Promise<void>): KafkaCheck {
  return { name, run: (subject) => withTopic(subject, records, run) };
}

async function withTopic(
  subject: KafkaSubject,
  records: readonly number[],
  run: (given: Given) => Promise<void>,
): Promise<void> {
  const topic = freshName('topic');
  await subject.createTopic(topic, records.length);
  const write = (partition: number, count: number, from = 0) => subject.produce(topic, partition, values(count, from));
  for (const [partition, count] of records.entries()) if (count > 0) await write(partition, count);
  const members: KafkaTrace[] = [];
  try {
    await run({
      subject,
      topic,
      join: (given, trace = new KafkaTrace()) => {
        members.push(trace);
        return trace.join(subject.driver, kafkaSubscription(topic, given));
      },
      write,
      committed: (partition) => subject.committed(`${topic}-group`, topic, partition),
      at: (partition, offset) => ({ topic, partition, offset }),
    });
  } finally {
    for (const member of members) await member.close();
    for (const member of members) member.connection?.unsubscribe();
  }
  const overlaps = members.flatMap((member) => member.overlaps.seen);
  equal(overlaps, [], 'calls while another was unanswered');
}
