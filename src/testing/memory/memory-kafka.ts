import { Observable, Subject, tap, timer } from 'rxjs';
import type { RxflumeError } from '../../core/errors.js';
import type {
  CommittedOffset,
  KafkaConsumer,
  KafkaDriver,
  KafkaListener,
  KafkaRecord,
  KafkaSubscription,
  PartitionOffset,
  TopicPartition,
} from '../../ports/kafka-consumer.js';
import type {
  KafkaOutgoing,
  KafkaProducer,
  KafkaProducerDriver,
  KafkaProducerListener,
  KafkaProducing,
} from '../../ports/kafka-producer.js';
import { fencedError, MemoryGroup } from './memory-group.js';
import { MemoryLog, type MemoryRecord } from './memory-log.js';
import { type ConsumerCluster, MemoryMember } from './memory-member.js';
import { MemoryProducer, type ProducerCluster, type ProducerFate, type ProducerStep } from './memory-producer.js';
import { forbiddenTopic, missingTopic, rejectionByTopic, type TopicConfig } from './memory-topic-rules.js';
import { MemoryTransactions } from './memory-transactions.js';

export interface MemoryKafkaOptions {
  /** How long a fetch, a join and a commit take, in (virtual) milliseconds. Default 1. */
  readonly latencyMs?: number;
  /** The most records one fetch brings of one partition. Default 500. */
  readonly recordsPerFetch?: number;
}

/** One commit as the broker saw it. */
export interface SeenCommit extends PartitionOffset {
  readonly groupId: string;
}

let made = 0;

/**
 * Kafka in memory, for tests: topics, groups with eager rebalances, committed offsets. All its time is RxJS's, so inside
 * `TestScheduler.run` it is virtual.
 *
 * ```ts
 * import { MemoryKafka } from 'rxflume/testing';
 *
 * const kafka = new MemoryKafka();
 * kafka.createTopic('chat');
 * kafka.committed('g', 'chat', 0); // → -1
 * ```
 */
export class MemoryKafka implements KafkaDriver, KafkaProducerDriver, ConsumerCluster, ProducerCluster {
  readonly name = 'kafka memory';
  /** Each is a cluster of its own. */
  readonly addresses = [`memory:${made++}`];
  /** Every commit in order of arrival. */
  readonly commits: SeenCommit[] = [];
  /** Every pause and resume, as `pause chat/0`. */
  readonly pauses: string[] = [];
  /** Fails the next commits, one error each, as a broker would. */
  readonly commitErrors: unknown[] = [];
  /** Fails the next connects, one error each. */
  readonly connectErrors: unknown[] = [];
  /** What becomes of a step of a producer; `ok` where this is left as it is. */
  fate: (step: ProducerStep) => ProducerFate = () => 'ok';
  /** @internal */
  readonly led$ = new Subject<void>();
  /** @internal */
  readonly transactions = new MemoryTransactions(this);
  readonly #latencyMs: number;
  readonly #recordsPerFetch: number;
  readonly #logs = new Map<string, MemoryLog[]>();
  readonly #configs = new Map<string, TopicConfig>();
  readonly #forbidden = new Set<string>();
  readonly #leaderless = new Set<string>();
  /** By group and partition. `emptyFrom`: what a commit said beside its offset. */
  readonly #committed = new Map<string, { readonly offset: number; readonly emptyFrom: number }>();
  readonly #groups = new Map<string, MemoryGroup<MemoryMember>>();

  constructor(options: MemoryKafkaOptions = {}) {
    this.#latencyMs = options.latencyMs ?? 1;
    this.#recordsPerFetch = options.recordsPerFetch ?? 500;
  }

  /** `config`: Kafka's own names, such as `cleanup.policy`; see `rejectionByTopic` for those that count. */
  createTopic(topic: string, partitions = 1, config: TopicConfig = {}): void {
    this.#configs.set(topic, config);
    this.#logs.set(
      topic,
      Array.from({ length: partitions }, (_, partition) => new MemoryLog(topic, partition)),
    );
  }

  /** Gives a topic more partitions; every group hands out anew, as it does once its members have seen them. */
  addPartitions(topic: string, count: number): void {
    const logs = this.#logs.get(topic) ?? [];
    for (let more = 0; more < count; more += 1) logs.push(new MemoryLog(topic, logs.length));
    for (const group of this.#groups.values()) group.changed();
  }

  /**
   * Appends records, or none; `skip` leaves a gap of so many offsets before them, as compaction does. Returns where the log
   * of the partition then ends.
   */
  produce(topic: string, partition: number, records: readonly MemoryRecord[], skip = 0): number {
    const log = this.#log({ topic, partition });
    log.append(records, skip);
    this.wake();
    return log.next;
  }

  deleteTopic(topic: string): void {
    this.#logs.delete(topic);
  }

  /** Rejects all writes to a topic, as an ACL does. */
  forbid(topic: string): void {
    this.#forbidden.add(topic);
  }

  /** Takes the leader of a partition away, or gives it back: writes wait meanwhile. */
  setLeaderless(topic: string, partition: number, isLeaderless: boolean): void {
    if (isLeaderless) this.#leaderless.add(`${topic}/${partition}`);
    else this.#leaderless.delete(`${topic}/${partition}`);
    this.led$.next();
  }

  /** What a topic holds that is decided, in order of each partition: as a reader of committed records has it. */
  read(topic: string): readonly KafkaRecord[] {
    return (this.#logs.get(topic) ?? []).flatMap((log) => log.decided);
  }

  /** Writes records in a transaction of its own, which is committed or aborted: a marker takes the offset behind them. */
  transact(
    topic: string,
    partition: number,
    records: readonly MemoryRecord[],
    outcome: 'commit' | 'abort' = 'commit',
  ): void {
    this.#log({ topic, partition }).append(records, 0, outcome);
    this.wake();
  }

  /** Deletes the records below the offset, as retention does. */
  deleteBelow(topic: string, partition: number, offset: number): void {
    this.#log({ topic, partition }).trim(offset);
  }

  /** The committed offset of a group in a partition, or −1. */
  committed(groupId: string, topic: string, partition: number): number {
    return this.#committed.get(`${groupId} ${topic}/${partition}`)?.offset ?? -1;
  }

  /** Forgets all that was committed, as after too long without members. */
  forgetCommitted(): void {
    this.#committed.clear();
  }

  /** How many members a group has. */
  memberCount(groupId: string): number {
    return this.#groups.get(groupId)?.members.length ?? 0;
  }

  /** Takes all partitions from every member at once, without asking, as a session timeout does; then assigns anew. */
  expireSessions(groupId: string): void {
    this.#group(groupId).expireAll();
  }

  /**
   * Ends the session of one member, whose heartbeats stopped coming: the others get its partitions and its commits are
   * rejected, but it does not know. Call the function returned when it is to learn of it: it then loses its partitions
   * and joins anew.
   */
  expireSession(consumer: KafkaConsumer): () => void {
    const member = consumer as MemoryMember;
    const group = this.#group(member.subscription.groupId);
    const isIn = group.members.includes(member);
    group.strikeOff(member);
    return () => {
      if (!isIn || member.life.closed || group.members.includes(member)) return;
      member.lose();
      // Who was only waiting for that may have left meanwhile.
      if (!member.life.closed) group.join(member);
    };
  }

  open(producing: KafkaProducing, _listener: KafkaProducerListener): Observable<KafkaProducer> {
    return new Observable((subscriber) => {
      const producer = new MemoryProducer(this, producing, this.#latencyMs, subscriber);
      producer.start();
      return () => producer.end();
    });
  }

  connect(subscription: KafkaSubscription, listener: KafkaListener): Observable<KafkaConsumer> {
    return new Observable((subscriber) => {
      const options = { latencyMs: this.#latencyMs, recordsPerFetch: this.#recordsPerFetch };
      const member = new MemoryMember(this, subscription, listener, subscriber, options);
      member.life.add(timer(this.#latencyMs).subscribe(() => this.#join(member)));
      return () => this.leave(member);
    });
  }

  /** @internal */
  partitionCount(topic: string): number {
    return this.#logs.get(topic)?.length ?? 0;
  }

  /** @internal */
  rejectionOf(record: KafkaOutgoing, partition: number): RxflumeError | undefined {
    if (this.#forbidden.has(record.topic)) return forbiddenTopic(record.topic);
    return rejectionByTopic(record, partition, this.#configs.get(record.topic) ?? {});
  }

  /** @internal */
  isLeaderless({ topic, partition }: TopicPartition): boolean {
    return this.#leaderless.has(`${topic}/${partition}`);
  }

  /** @internal */
  write(of: TopicPartition, record: KafkaOutgoing, transaction: object | null): void {
    this.#log(of).write(record, transaction);
  }

  /** @internal */
  decide(of: TopicPartition, transaction: object, outcome: 'commit' | 'abort'): void {
    this.#log(of).end(transaction, outcome);
  }

  /** @internal */
  setCommitted(groupId: string, offsets: readonly CommittedOffset[]): void {
    for (const { topic, partition, offset, emptyFrom = offset } of offsets) {
      this.commits.push({ groupId, topic, partition, offset });
      this.#committed.set(`${groupId} ${topic}/${partition}`, { offset, emptyFrom });
    }
  }

  /** @internal There may be something to read. */
  wake(): void {
    for (const group of this.#groups.values()) for (const member of group.members) member.wake();
  }

  /** @internal */
  leave(member: MemoryMember): void {
    member.life.unsubscribe();
    this.#group(member.subscription.groupId).strikeOff(member);
  }

  /** @internal `isCurrent`: whether who commits still has what it commits, when the broker looks. */
  commit(groupId: string, offsets: readonly CommittedOffset[], isCurrent: () => boolean): Observable<unknown> {
    return timer(this.#latencyMs).pipe(
      tap(() => {
        if (!isCurrent()) throw fencedError(groupId);
        if (this.commitErrors.length > 0) throw this.commitErrors.shift();
        this.setCommitted(groupId, offsets);
      }),
    );
  }

  /** @internal The position, moved over what is gone where the group's commit says that nothing was there. */
  overNothing(groupId: string, of: TopicPartition, position: number): number {
    if (position >= this.#log(of).first) return position;
    const known = this.#committed.get(`${groupId} ${of.topic}/${of.partition}`);
    return known !== undefined && known.emptyFrom <= position ? known.offset : position;
  }

  /** @internal Throws `RXF_KAFKA_DATA_LOST` where the log does not reach to the position. */
  fetch(of: TopicPartition, position: number, most: number): { records: KafkaRecord[]; next: number; end: number } {
    const log = this.#log(of);
    return { ...log.from(position, most), end: log.next };
  }

  /** @internal */
  logAt(of: TopicPartition): MemoryLog {
    return this.#log(of);
  }

  /** @internal */
  startOf(
    { groupId, startAt, topics }: KafkaSubscription,
    of: TopicPartition,
    begun: ReadonlySet<string>,
  ): { readonly offset: number; readonly isFresh: boolean } {
    const committed = this.committed(groupId, of.topic, of.partition);
    if (committed >= 0) return { offset: committed, isFresh: false };
    const log = this.#log(of);
    const isNew = topics instanceof RegExp ? begun.size > 0 : begun.has(of.topic);
    return { offset: startAt === 'earliest' || isNew ? log.first : log.next, isFresh: true };
  }

  #join(member: MemoryMember): void {
    const { topics, groupId } = member.subscription;
    const isMissing = this.#topicsOf(member.subscription).length === 0;
    const failure = this.connectErrors.shift() ?? (isMissing ? missingTopic(String(topics)) : undefined);
    if (failure !== undefined) {
      member.subscriber.error(failure);
      return;
    }
    member.subscriber.next(member);
    this.#group(groupId).join(member);
  }

  #group(groupId: string): MemoryGroup<MemoryMember> {
    let group = this.#groups.get(groupId);
    if (group === undefined) {
      group = new MemoryGroup(
        (members) => this.#partitionsFor(members),
        () => this.#begunBy(groupId),
      );
      this.#groups.set(groupId, group);
    }
    return group;
  }

  #begunBy(groupId: string): ReadonlySet<string> {
    const begun = [...this.#logs].filter(([topic, logs]) =>
      logs.some(({ partition }) => this.committed(groupId, topic, partition) >= 0),
    );
    return new Set(begun.map(([topic]) => topic));
  }

  #partitionsFor(members: readonly MemoryMember[]): TopicPartition[] {
    const topics = new Set(members.flatMap((member) => this.#topicsOf(member.subscription)));
    return [...topics].flatMap((topic) =>
      (this.#logs.get(topic) ?? []).map(({ partition }): TopicPartition => ({ topic, partition })),
    );
  }

  #topicsOf({ topics }: KafkaSubscription): string[] {
    const isOurs = (name: string) => (topics instanceof RegExp ? topics.test(name) : topics.includes(name));
    return [...this.#logs.keys()].filter(isOurs);
  }

  #log({ topic, partition }: TopicPartition): MemoryLog {
    const log = this.#logs.get(topic)?.[partition];
    if (log === undefined) throw new Error(`MemoryKafka: no partition ${topic}/${partition}; call createTopic first`);
    return log;
  }
}
