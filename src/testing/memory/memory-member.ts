import {
  concat,
  concatMap,
  defer,
  EMPTY,
  from,
  ignoreElements,
  merge,
  Observable,
  of,
  Subject,
  type Subscriber,
  Subscription,
  take,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import type {
  CommittedOffset,
  KafkaConsumer,
  KafkaListener,
  KafkaRecord,
  KafkaSubscription,
  LogFacts,
  PartitionOffset,
  TopicPartition,
} from '../../ports/kafka-consumer.js';
import type { GroupMember } from './memory-group.js';
import type { MemoryLog } from './memory-log.js';
import { MemoryRecordView } from './memory-record-view.js';

/** What a member needs of the cluster it reads from. */
export interface ConsumerCluster {
  /** Every pause and resume, as `pause chat/0`. */
  readonly pauses: string[];
  leave(member: MemoryMember): void;
  /** `isCurrent`: whether the member still has what it commits, when the broker looks. */
  commit(groupId: string, offsets: readonly CommittedOffset[], isCurrent: () => boolean): Observable<unknown>;
  /** The position, moved over a gap that the group's commit says was empty. */
  overNothing(groupId: string, of: TopicPartition, position: number): number;
  /** Throws `RXF_KAFKA_DATA_LOST` where the log does not reach to the position. */
  fetch(of: TopicPartition, position: number, most: number): { records: KafkaRecord[]; next: number; end: number };
  logAt(of: TopicPartition): Pick<MemoryLog, 'first' | 'next' | 'decided'>;
  startOf(
    subscription: KafkaSubscription,
    of: TopicPartition,
    begun: ReadonlySet<string>,
  ): { readonly offset: number; readonly isFresh: boolean };
}

interface Position {
  readonly of: TopicPartition;
  offset: number;
  committed: number;
  isPaused: boolean;
}

/** A member of a group of `MemoryKafka`: fetches what it was given, and hears what the group decides. */
export class MemoryMember implements KafkaConsumer, GroupMember {
  readonly life = new Subscription();
  readonly subscription: KafkaSubscription;
  readonly subscriber: Subscriber<KafkaConsumer>;
  readonly #kafka: ConsumerCluster;
  readonly #listener: KafkaListener;
  readonly #latencyMs: number;
  readonly #recordsPerFetch: number;
  /** Emits when the group no longer knows it: nobody waits for it any more. */
  readonly #gone$ = new Subject<void>();
  #isKnown = true;
  #epoch = 0;
  /** The question where to start, while it is not answered. */
  #flushRequester = Subscription.EMPTY;
  #owned: readonly TopicPartition[] = [];
  #positions = new Map<string, Position>();
  #isFetching = false;
  /** Not before where it begins is remembered. */
  #mayFetch = false;

  constructor(
    kafka: ConsumerCluster,
    subscription: KafkaSubscription,
    listener: KafkaListener,
    subscriber: Subscriber<KafkaConsumer>,
    options: { readonly latencyMs: number; readonly recordsPerFetch: number },
  ) {
    this.#kafka = kafka;
    this.subscription = subscription;
    this.#listener = listener;
    this.subscriber = subscriber;
    this.#latencyMs = options.latencyMs;
    this.#recordsPerFetch = options.recordsPerFetch;
  }

  // What the source calls.

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
      if (position.offset < entry.committed) entry.committed = position.offset - 1;
    }
    this.wake();
  }

  commit(epoch: number, offsets: readonly CommittedOffset[]): Observable<unknown> {
    if (epoch !== this.#epoch) return EMPTY;
    const higher = offsets.filter((one) => one.offset > (this.#entry(one)?.committed ?? Number.POSITIVE_INFINITY));
    if (higher.length === 0) return EMPTY;
    return this.#kafka
      .commit(this.subscription.groupId, higher, () => this.#isKnown && epoch === this.#epoch)
      .pipe(
        tap(() => {
          for (const one of higher) {
            const entry = this.#entry(one);
            if (entry !== undefined) entry.committed = one.offset;
          }
        }),
      );
  }

  describeLogs(partitions: readonly TopicPartition[]): Observable<readonly LogFacts[]> {
    const asked = partitions.flatMap((of) => this.#entry(of) ?? []);
    return of(
      asked.map((entry) => {
        const { first: start, next: end } = this.#kafka.logAt(entry.of);
        return { ...entry.of, start, end };
      }),
    );
  }

  offsetsAt(partitions: readonly TopicPartition[], timeMs: number): Observable<readonly PartitionOffset[]> {
    const asked = partitions.flatMap((of) => this.#entry(of) ?? []);
    return of(
      asked.map((entry) => {
        const { decided, next } = this.#kafka.logAt(entry.of);
        return { ...entry.of, offset: decided.find(({ timestamp }) => timestamp >= timeMs)?.offset ?? next };
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

  // What the group calls.

  /** The group waits for this before it hands out anew. Never asked while `assigned` has not answered. */
  revoke(): Observable<unknown> {
    const asking = this.#flushRequester;
    const answered$ = asking.closed
      ? EMPTY
      : new Observable<never>((subscriber) => asking.add(() => subscriber.complete()));
    const revoked$ = defer(() => (this.#owned.length === 0 ? EMPTY : from(this.#listener.revoking())));
    const late$ = timer(this.subscription.revokeTimeoutMs);
    return concat(answered$, revoked$).pipe(takeUntil(merge(this.#gone$, late$)));
  }

  lose(): void {
    this.#flushRequester.unsubscribe();
    if (this.#owned.length === 0) return;
    this.#owned = [];
    this.#positions = new Map();
    this.#mayFetch = false;
    this.#listener.lost();
  }

  /** `begun`: topics in which the group had a position before anybody was given anything. */
  assign(partitions: readonly TopicPartition[], begun: ReadonlySet<string>): void {
    this.lose();
    if (this.life.closed) return;
    this.#epoch += 1;
    this.#owned = partitions;
    this.#flushRequester = new Subscription();
    this.life.add(this.#flushRequester);
    this.#flushRequester.add(
      from(this.#listener.assigned(this.#epoch, partitions))
        .pipe(
          take(1),
          concatMap((starts) => this.#start(partitions, starts, begun)),
        )
        .subscribe({ complete: () => this.#flushRequester.unsubscribe() }),
    );
  }

  /** The group has removed it without its knowing; it goes on with what it has, and its commits are rejected. */
  forgotten(): void {
    this.#isKnown = false;
    this.#gone$.next();
  }

  /** It is in the group. */
  known(): void {
    this.#isKnown = true;
  }

  wake(): void {
    if (!this.#mayFetch || this.#isFetching || this.life.closed) return;
    this.#isFetching = true;
    this.life.add(
      timer(this.#latencyMs).subscribe(() => {
        this.#isFetching = false;
        if (this.#fetchAll()) this.wake();
      }),
    );
  }

  #start(
    partitions: readonly TopicPartition[],
    starts: readonly PartitionOffset[],
    begun: ReadonlySet<string>,
  ): Observable<unknown> {
    const began: PartitionOffset[] = [];
    for (const of of partitions) {
      const given = starts.find((one) => one.topic === of.topic && one.partition === of.partition);
      const { offset, isFresh } = this.#kafka.startOf(this.subscription, of, begun);
      if (given === undefined && isFresh) began.push({ ...of, offset });
      const entry = { of, offset: given?.offset ?? offset, committed: -1, isPaused: false };
      this.#positions.set(`${of.topic}/${of.partition}`, entry);
    }
    const fetching$ = defer(() => {
      this.#mayFetch = true;
      this.wake();
      return EMPTY;
    });
    if (began.length === 0) return fetching$;
    return concat(from(this.#listener.began(this.#epoch, began)).pipe(ignoreElements()), fetching$);
  }

  #fetchAll(): boolean {
    let hasMore = false;
    const epoch = this.#epoch;
    for (const entry of [...this.#positions.values()]) {
      if (entry.isPaused || epoch !== this.#epoch || this.life.closed) continue;
      hasMore = this.#fetch(entry, epoch) || hasMore;
    }
    return hasMore;
  }

  #fetch(entry: Position, epoch: number): boolean {
    let fetched: { readonly records: readonly KafkaRecord[]; readonly next: number; readonly end: number };
    try {
      entry.offset = this.#kafka.overNothing(this.subscription.groupId, entry.of, entry.offset);
      fetched = this.#kafka.fetch(entry.of, entry.offset, this.#recordsPerFetch);
    } catch (error) {
      this.subscriber.error(error);
      return false;
    }
    const { records, next, end } = fetched;
    if (next === entry.offset) return false;
    entry.offset = next;
    this.#listener.records({
      ...entry.of,
      epoch,
      records: records.map((record) => new MemoryRecordView(record, epoch)),
      byteLength: records.reduce((sum, record) => sum + record.byteLength, 0),
      nextOffset: entry.offset,
      highWatermark: end,
    });
    return true;
  }

  #entry({ topic, partition }: TopicPartition): Position | undefined {
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
