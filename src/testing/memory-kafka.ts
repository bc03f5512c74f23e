import {
  concat,
  defer,
  EMPTY,
  forkJoin,
  from,
  ignoreElements,
  Observable,
  of,
  type Subscriber,
  Subscription,
  tap,
  timer,
} from 'rxjs';
import { ConnectError } from '../core/errors.js';
import type {
  KafkaConsumer,
  KafkaDriver,
  KafkaListener,
  KafkaRecord,
  KafkaSubscription,
  PartitionOffset,
  TopicPartition,
} from '../ports/kafka-consumer.js';

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

/** A record to put into a topic; a bare text or null is a value without key. */
export type MemoryRecord =
  | string
  | null
  | { readonly value: string | null; readonly key?: string; readonly timestamp?: number };

/**
 * Kafka in memory, for tests: topics, groups with eager rebalances, committed offsets. All its time is RxJS's, so inside
 * `TestScheduler.run` it is virtual.
 */
export class MemoryKafka implements KafkaDriver {
  readonly name = 'kafka memory';
  /** Every commit in order of arrival. */
  readonly commits: SeenCommit[] = [];
  /** Every pause and resume, as `pause chat/0`. */
  readonly pauses: string[] = [];
  /** Fails the next commits, one error each, as a broker would. */
  readonly commitErrors: unknown[] = [];
  /** Fails the next connects, one error each. */
  readonly connectErrors: unknown[] = [];
  readonly #latencyMs: number;
  readonly #recordsPerFetch: number;
  readonly #logs = new Map<string, KafkaRecord[][]>();
  readonly #offsets = new Map<string, number>();
  readonly #members: Member[] = [];

  constructor(options: MemoryKafkaOptions = {}) {
    this.#latencyMs = options.latencyMs ?? 1;
    this.#recordsPerFetch = options.recordsPerFetch ?? 500;
  }

  createTopic(topic: string, partitions = 1): void {
    this.#logs.set(
      topic,
      Array.from({ length: partitions }, () => []),
    );
  }

  /** Appends records; `skip` leaves a gap of so many offsets before them, as compaction does. */
  produce(topic: string, partition: number, records: readonly MemoryRecord[], skip = 0): void {
    const log = this.#log({ topic, partition });
    let offset = endOf(log) + skip;
    for (const record of records) {
      const { value, key, timestamp } =
        record === null || typeof record === 'string'
          ? { value: record, key: undefined, timestamp: undefined }
          : { key: undefined, timestamp: undefined, ...record };
      const body = value === null ? null : Buffer.from(value);
      const keyBytes = key === undefined ? null : Buffer.from(key);
      log.push({
        topic,
        partition,
        offset,
        epoch: 0,
        stream: `kafka:${topic}/${partition}`,
        value: body,
        key: keyBytes,
        headers: {},
        timestamp: timestamp ?? 0,
        byteLength: (body?.length ?? 0) + (keyBytes?.length ?? 0),
      });
      offset += 1;
    }
    for (const member of this.#members) member.wake();
  }

  /** The committed offset of a group in a partition, or −1. */
  committed(groupId: string, topic: string, partition: number): number {
    return this.#offsets.get(`${groupId} ${topic}/${partition}`) ?? -1;
  }

  /** How many members a group has. */
  memberCount(groupId: string): number {
    return this.#members.filter((member) => member.subscription.groupId === groupId).length;
  }

  /** Takes all partitions from every member at once, without asking, as a session timeout does; then assigns anew. */
  expireSessions(groupId: string): void {
    const members = this.#members.filter((member) => member.subscription.groupId === groupId);
    for (const member of members) member.lose();
    this.#assign(groupId);
  }

  connect(subscription: KafkaSubscription, listener: KafkaListener): Observable<KafkaConsumer> {
    return new Observable((subscriber) => {
      const member = new Member(this, subscription, listener, subscriber, this.#latencyMs, this.#recordsPerFetch);
      member.life.add(timer(this.#latencyMs).subscribe(() => this.#join(member)));
      return () => this.leave(member);
    });
  }

  /** @internal */
  leave(member: Member): void {
    member.life.unsubscribe();
    const at = this.#members.indexOf(member);
    if (at < 0) return;
    this.#members.splice(at, 1);
    this.#rebalance(member.subscription.groupId);
  }

  /** @internal */
  commit(groupId: string, offsets: readonly PartitionOffset[]): Observable<unknown> {
    return timer(this.#latencyMs).pipe(
      tap(() => {
        if (this.commitErrors.length > 0) throw this.commitErrors.shift();
        for (const { topic, partition, offset } of offsets) {
          this.commits.push({ groupId, topic, partition, offset });
          this.#offsets.set(`${groupId} ${topic}/${partition}`, offset);
        }
      }),
    );
  }

  /** @internal */
  fetch(of: TopicPartition, position: number, most: number): { records: KafkaRecord[]; end: number } {
    const log = this.#log(of);
    const first = log.findIndex((record) => record.offset >= position);
    return { records: first < 0 ? [] : log.slice(first, first + most), end: endOf(log) };
  }

  /** @internal */
  startOf(subscription: KafkaSubscription, of: TopicPartition): number {
    const committed = this.committed(subscription.groupId, of.topic, of.partition);
    if (committed >= 0) return committed;
    return subscription.startAt === 'earliest' ? 0 : endOf(this.#log(of));
  }

  #join(member: Member): void {
    const failure = this.connectErrors.shift();
    if (failure !== undefined) {
      member.subscriber.error(failure);
      return;
    }
    if (this.#topicsOf(member.subscription).length === 0) {
      member.subscriber.error(
        new ConnectError(
          'RXF_KAFKA_TOPIC_MISSING',
          `There is no topic ${String(member.subscription.topics)}. Create it.`,
        ),
      );
      return;
    }
    this.#members.push(member);
    member.subscriber.next(member);
    this.#rebalance(member.subscription.groupId);
  }

  #topicsOf(subscription: KafkaSubscription): string[] {
    const { topics } = subscription;
    const names = [...this.#logs.keys()];
    return names.filter((name) => (topics instanceof RegExp ? topics.test(name) : topics.includes(name)));
  }

  /** Asks every member to settle, then hands the partitions out anew, one after the other. */
  #rebalance(groupId: string): void {
    const members = this.#members.filter((member) => member.subscription.groupId === groupId);
    if (members.length === 0) return;
    forkJoin(members.map((member) => concat(defer(() => member.revoke()).pipe(ignoreElements()), of(0)))).subscribe(
      () => this.#assign(groupId),
    );
  }

  #assign(groupId: string): void {
    const members = this.#members.filter((member) => member.subscription.groupId === groupId);
    const shares = members.map((): TopicPartition[] => []);
    let turn = 0;
    for (const topic of new Set(members.flatMap((member) => this.#topicsOf(member.subscription)))) {
      for (let partition = 0; partition < (this.#logs.get(topic)?.length ?? 0); partition += 1) {
        shares[turn % members.length]?.push({ topic, partition });
        turn += 1;
      }
    }
    for (const [at, member] of members.entries()) member.assign(shares[at] ?? []);
  }

  #log({ topic, partition }: TopicPartition): KafkaRecord[] {
    const log = this.#logs.get(topic)?.[partition];
    if (log === undefined) throw new Error(`MemoryKafka: no partition ${topic}/${partition}; call createTopic first`);
    return log;
  }
}

function endOf(log: readonly KafkaRecord[]): number {
  const last = log.at(-1);
  return last === undefined ? 0 : last.offset + 1;
}

class Member implements KafkaConsumer {
  readonly life = new Subscription();
  readonly subscription: KafkaSubscription;
  readonly subscriber: Subscriber<KafkaConsumer>;
  readonly #kafka: MemoryKafka;
  readonly #listener: KafkaListener;
  readonly #latencyMs: number;
  readonly #recordsPerFetch: number;
  #epoch = 0;
  #positions = new Map<string, { of: TopicPartition; offset: number; committed: number; isPaused: boolean }>();
  #isFetching = false;

  constructor(
    kafka: MemoryKafka,
    subscription: KafkaSubscription,
    listener: KafkaListener,
    subscriber: Subscriber<KafkaConsumer>,
    latencyMs: number,
    recordsPerFetch: number,
  ) {
    this.#kafka = kafka;
    this.subscription = subscription;
    this.#listener = listener;
    this.subscriber = subscriber;
    this.#latencyMs = latencyMs;
    this.#recordsPerFetch = recordsPerFetch;
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, true);
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, false);
    this.wake();
  }

  seek(position: PartitionOffset): void {
    const entry = this.#entry(position);
    if (entry !== undefined) {
      entry.offset = position.offset;
      entry.committed = Math.min(entry.committed, position.offset);
    }
    this.wake();
  }

  commit(epoch: number, offsets: readonly PartitionOffset[]): Observable<unknown> {
    if (epoch !== this.#epoch) return EMPTY;
    const higher = offsets.filter((one) => one.offset > (this.#entry(one)?.committed ?? Number.POSITIVE_INFINITY));
    if (higher.length === 0) return EMPTY;
    return this.#kafka.commit(this.subscription.groupId, higher).pipe(
      tap(() => {
        for (const one of higher) {
          const entry = this.#entry(one);
          if (entry !== undefined) entry.committed = one.offset;
        }
      }),
    );
  }

  close(): Observable<unknown> {
    return defer(() => {
      this.#kafka.leave(this);
      this.subscriber.complete();
      return EMPTY;
    });
  }

  revoke(): Observable<unknown> {
    return this.#positions.size === 0 ? EMPTY : from(this.#listener.revoking());
  }

  lose(): void {
    if (this.#positions.size === 0) return;
    this.#positions = new Map();
    this.#listener.lost();
  }

  assign(partitions: readonly TopicPartition[]): void {
    if (this.life.closed) return;
    this.lose();
    this.#epoch += 1;
    this.life.add(
      from(this.#listener.assigned(this.#epoch, partitions)).subscribe((starts) => {
        for (const of of partitions) {
          const start = starts.find((one) => one.topic === of.topic && one.partition === of.partition);
          const offset = start?.offset ?? this.#kafka.startOf(this.subscription, of);
          this.#positions.set(`${of.topic}/${of.partition}`, { of, offset, committed: -1, isPaused: false });
        }
        this.wake();
      }),
    );
  }

  wake(): void {
    if (this.#isFetching || this.life.closed) return;
    this.#isFetching = true;
    this.life.add(
      timer(this.#latencyMs).subscribe(() => {
        this.#isFetching = false;
        if (this.#fetchAll()) this.wake();
      }),
    );
  }

  #fetchAll(): boolean {
    let hasMore = false;
    const epoch = this.#epoch;
    for (const entry of [...this.#positions.values()]) {
      if (entry.isPaused || epoch !== this.#epoch || this.life.closed) continue;
      const { records, end } = this.#kafka.fetch(entry.of, entry.offset, this.#recordsPerFetch);
      if (records.length === 0) continue;
      entry.offset = (records.at(-1) as KafkaRecord).offset + 1;
      hasMore = true;
      this.#listener.records({
        ...entry.of,
        epoch,
        // A view, as real drivers give: what the log holds is not copied.
        records: records.map((record) => Object.create(record, { epoch: { value: epoch } }) as KafkaRecord),
        byteLength: records.reduce((sum, record) => sum + record.byteLength, 0),
        nextOffset: entry.offset,
        highWatermark: end,
      });
    }
    return hasMore;
  }

  #entry({ topic, partition }: TopicPartition) {
    return this.#positions.get(`${topic}/${partition}`);
  }

  #setPaused(partitions: readonly TopicPartition[], isPaused: boolean): void {
    for (const of of partitions) {
      const entry = this.#entry(of);
      if (entry === undefined || entry.isPaused === isPaused) continue;
      entry.isPaused = isPaused;
      this.#kafka.pauses.push(`${isPaused ? 'pause' : 'resume'} ${of.topic}/${of.partition}`);
    }
  }
}
