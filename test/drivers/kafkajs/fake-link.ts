import type { Offsets, Rejected } from '../../../src/drivers/kafkajs/consumer/offsets.js';
import type { ForeignRecord } from '../../../src/drivers/kafkajs/records/record.js';
import type { Link, Membership } from '../../../src/drivers/kafkajs/vendor/link.js';
import type { CommittedOffset, PartitionOffset, TopicPartition } from '../../../src/ports/kafka-consumer.js';

export function brokerError(type: string, retriable = true): Error {
  return Object.assign(new Error(type), { name: 'KafkaJSProtocolError', type, retriable });
}

export function record(offset: number, value: string, more: Partial<ForeignRecord> = {}): ForeignRecord {
  return { offset: String(offset), timestamp: '5', key: null, value: Buffer.from(value), ...more };
}

interface FakeFetch {
  readonly node: number;
  readonly positions: readonly PartitionOffset[];
  /** `next`: where to read on; behind the last record where it is left out, and nothing came where there is none. */
  answer(partition: number, offsets: readonly number[], errorCode?: number, next?: number): void;
  /** Every partition that was asked for is read, and has nothing. */
  answerAll(): void;
  fail(error: unknown): void;
}

/** A cluster of nothing but answers that a test gives: each fetch waits until the test answers it. */
export class FakeLink {
  readonly calls: string[] = [];
  readonly fetches: FakeFetch[] = [];
  readonly commits: { generation: number; offsets: readonly PartitionOffset[] }[] = [];
  memberId: string | null = 'm1';
  partitions: TopicPartition[] = [
    { topic: 't', partition: 0 },
    { topic: 't', partition: 1 },
  ];
  generation = 0;
  leaders: Record<number, number> = {};
  joinErrors: unknown[] = [];
  heartbeatErrors: unknown[] = [];
  commitErrors: unknown[] = [];
  log = { first: 0, next: 100 };
  /** By partition. */
  rejectedBounds: Record<number, unknown> = {};
  rejectedCommits: Record<number, unknown> = {};
  topicErrors: Record<string, unknown> = {};
  /** What is known, and what asking brings. */
  layoutKnown = 't=2';
  layoutNow = 't=2';
  /** What the group has committed. */
  offsets: CommittedOffset[] = [];
  /** The ids of topics; undefined where brokers have none. */
  ids: Map<string, string> | undefined = new Map([['t', 'id-1']]);
  idErrors: unknown[] = [];
  heartbeats = 0;
  /** Whether a quota holds the next fetches back. */
  throttled = false;
  beforeJoin: () => Promise<void> = async () => undefined;

  as(): Link {
    return this as unknown as Link;
  }

  async connect(): Promise<void> {
    this.calls.push('connect');
  }

  async join(): Promise<Membership> {
    this.calls.push('join');
    await this.beforeJoin();
    if (this.joinErrors.length > 0) throw this.joinErrors.shift();
    this.generation += 1;
    return { generationId: this.generation, memberId: 'm1', partitions: this.partitions };
  }

  async heartbeat(): Promise<void> {
    this.heartbeats += 1;
    if (this.heartbeatErrors.length > 0) throw this.heartbeatErrors.shift();
  }

  async commit({ generationId }: Membership, offsets: readonly PartitionOffset[]): Promise<readonly Rejected[]> {
    if (this.commitErrors.length > 0) throw this.commitErrors.shift();
    const { offsets: answered, rejected } = this.#apart(offsets, this.rejectedCommits);
    this.commits.push({ generation: generationId, offsets: answered });
    return rejected;
  }

  async committed(partitions: readonly TopicPartition[]): Promise<Offsets> {
    const isAsked = (one: TopicPartition) => partitions.some(({ partition }) => partition === one.partition);
    return { offsets: this.offsets.filter(isAsked), rejected: [] };
  }

  async topicIds(): Promise<Map<string, string> | undefined> {
    if (this.idErrors.length > 0) throw this.idErrors.shift();
    return this.ids;
  }

  knownPartitions(): TopicPartition[] {
    return this.partitions;
  }

  async bounds(partitions: readonly TopicPartition[], startAt: 'earliest' | 'latest'): Promise<Offsets> {
    const offset = startAt === 'earliest' ? this.log.first : this.log.next;
    return this.#apart(
      partitions.map(({ topic, partition }) => ({ topic, partition, offset })),
      this.rejectedBounds,
    );
  }

  #apart(offsets: readonly PartitionOffset[], errors: Readonly<Record<number, unknown>>): Offsets {
    return {
      offsets: offsets.filter(({ partition }) => errors[partition] === undefined),
      rejected: offsets
        .filter(({ partition }) => errors[partition] !== undefined)
        .map(({ topic, partition }) => ({ topic, partition, error: errors[partition] })),
    };
  }

  topicError(topic: string): unknown {
    return this.topicErrors[topic];
  }

  leaderOf({ partition }: TopicPartition): number | undefined {
    const leader = this.leaders[partition] ?? 1;
    return leader < 0 ? undefined : leader;
  }

  isThrottled(): boolean {
    return this.throttled;
  }

  fetch(node: number, positions: readonly PartitionOffset[]): Promise<unknown[]> {
    return new Promise((resolve, reject) => {
      this.fetches.push({
        node,
        positions,
        answer: (partition, offsets, errorCode = 0, next = undefined) =>
          resolve([
            {
              topic: 't',
              partition,
              errorCode,
              highWatermark: '100',
              messages: {
                records: offsets.map((offset) => record(offset, `v${offset}`)),
                nextOffset: next ?? (offsets.length === 0 ? -1 : (offsets.at(-1) as number) + 1),
              },
            },
          ]),
        answerAll: () =>
          resolve(
            positions.map(({ topic, partition }) => ({
              topic,
              partition,
              errorCode: 0,
              highWatermark: '100',
              messages: { records: [], nextOffset: -1 },
            })),
          ),
        fail: reject,
      });
    });
  }

  errorOf(code: number): Error {
    const known: Record<number, [string, boolean]> = {
      1: ['OFFSET_OUT_OF_RANGE', false],
      3: ['UNKNOWN_TOPIC_OR_PARTITION', true],
      6: ['NOT_LEADER_FOR_PARTITION', true],
      29: ['TOPIC_AUTHORIZATION_FAILED', false],
      87: ['INVALID_RECORD', false],
    };
    const [type, retriable] = known[code] ?? ['UNKNOWN', false];
    return brokerError(type, retriable);
  }

  async findCoordinator(): Promise<void> {
    this.calls.push('findCoordinator');
  }

  async refresh(): Promise<void> {
    this.calls.push('refresh');
  }

  knownLayout(): string {
    return this.layoutKnown;
  }

  async layout(): Promise<string> {
    this.calls.push('layout');
    this.layoutKnown = this.layoutNow;
    return this.layoutNow;
  }

  forget(): void {}

  forgetCoordinator(): void {
    this.calls.push('forgetCoordinator');
  }

  endJoining(): void {
    this.calls.push('endJoining');
  }

  async leave(): Promise<void> {
    this.calls.push('leave');
  }

  destroy(): void {
    this.calls.push('destroy');
  }
}
