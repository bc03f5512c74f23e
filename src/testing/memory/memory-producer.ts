import {
  catchError,
  concatMap,
  defer,
  filter,
  from,
  map,
  merge,
  type Observable,
  of,
  type Subscriber,
  Subscription,
  take,
  timer,
} from 'rxjs';
import { ConnectError, FencedError, type RxflumeError, SinkError } from '../../core/errors.js';
import type { PartitionOffset, TopicPartition } from '../../ports/kafka-consumer.js';
import { partitionOfKey } from '../../ports/kafka-key.js';
import type {
  KafkaOutgoing,
  KafkaProducer,
  KafkaProducing,
  KafkaSent,
  KafkaTransactions,
} from '../../ports/kafka-producer.js';
import { type FakeCall, type Share, together, unknownIf, withdrawn } from './memory-share.js';
import { missingTopic, recordRejection } from './memory-topic-rules.js';
import type { MemoryTransactions, TransactionStore } from './memory-transactions.js';

/** A step of a producer's I/O; a commit is two: its offsets, and its end. */
export interface ProducerStep {
  readonly verb: 'open' | 'send' | 'take' | 'committed' | 'offsets' | 'end';
  /** The transactional id, undefined outside of transactions. */
  readonly id: string | undefined;
}

/** `fail`: it is not carried out; `lose`: it is, and its answer is lost; `late`: carried out long after it was given up. */
export type ProducerFate = 'ok' | 'fail' | 'lose' | 'late';

/** How many times the latency a late request takes. */
const LATE = 30;

/** What a producer needs of the cluster it writes to. */
export interface ProducerCluster extends TransactionStore {
  readonly transactions: MemoryTransactions;
  readonly fate: (step: ProducerStep) => ProducerFate;
  partitionCount(topic: string): number;
  /** Why the cluster rejects a record that goes there, for good. */
  rejectionOf(record: KafkaOutgoing, partition: number): RxflumeError | undefined;
  /** Whether nobody leads a partition now, so that writes to it wait. */
  isLeaderless(of: TopicPartition): boolean;
  /** Emits when a partition has a leader again. */
  readonly led$: Observable<unknown>;
  committed(groupId: string, topic: string, partition: number): number;
  wake(): void;
}

/** A producer of `MemoryKafka`: each step takes the cluster's latency, and meets the fate that the cluster says. */
export class MemoryProducer implements KafkaProducer {
  readonly #kafka: ProducerCluster;
  readonly #producing: KafkaProducing;
  readonly #latencyMs: number;
  readonly #out: Subscriber<KafkaProducer>;
  readonly #life = new Subscription();
  /** By partition: the last call of which something may be missing there. */
  readonly #givenUp = new Map<string, number>();
  #turn = 0;
  #calls = 0;

  constructor(kafka: ProducerCluster, producing: KafkaProducing, latencyMs: number, out: Subscriber<KafkaProducer>) {
    this.#kafka = kafka;
    this.#producing = producing;
    this.#latencyMs = latencyMs;
    this.#out = out;
  }

  start(): void {
    const opened$ = this.#step({ verb: 'open', id: undefined }, () => this);
    this.#life.add(
      opened$.subscribe({
        next: (producer) => this.#out.next(producer),
        error: (error: unknown) => this.#out.error(error),
      }),
    );
  }

  end(): void {
    this.#life.unsubscribe();
  }

  send(records: readonly KafkaOutgoing[], isWanted: (index: number) => boolean = () => true): Observable<KafkaSent> {
    return defer(() => {
      const call = { number: this.#calls++, isWanted };
      const shares = this.#shared(records);
      const write = () => {
        const waiting = shares.filter((share) => this.#isLeaderless(share));
        const sent = together(
          shares.filter((share) => !waiting.includes(share)).map((share) => this.#write(share, call)),
        );
        return merge(of(sent), ...waiting.map((share) => this.#whenLed(share, call)));
      };
      return this.#step({ verb: 'send', id: undefined }, write).pipe(
        concatMap((sent$) => sent$),
        catchError((error: unknown) => {
          if ((error as RxflumeError).code === 'RXF_SINK_STOPPED') throw error;
          return from(shares.map((share) => this.#giveUp(share, error)));
        }),
      );
    });
  }

  take(transactionalId: string): Observable<KafkaTransactions> {
    const { transactions } = this.#kafka;
    return this.#step({ verb: 'take', id: transactionalId }, () => {
      const epoch = transactions.take(transactionalId);
      return new Transactions({
        send: (records) =>
          this.#step({ verb: 'send', id: transactionalId }, () => {
            const shares = this.#shared(records);
            if (shares.some((share) => this.#isLeaderless(share)))
              throw stepError({ verb: 'send', id: transactionalId });
            return together(
              shares.map((share) =>
                this.#store(share, (of, record) => transactions.write(transactionalId, epoch, of, record)),
              ),
            );
          }),
        offsets: (groupId, offsets) =>
          this.#step({ verb: 'offsets', id: transactionalId }, () =>
            transactions.addOffsets(transactionalId, epoch, groupId, offsets),
          ),
        end: () => this.#step({ verb: 'end', id: transactionalId }, () => transactions.commit(transactionalId, epoch)),
      });
    });
  }

  committed(groupId: string, partitions: readonly TopicPartition[]): Observable<readonly PartitionOffset[]> {
    return this.#step({ verb: 'committed', id: undefined }, () =>
      partitions
        .map((one) => ({ ...one, offset: this.#kafka.committed(groupId, one.topic, one.partition) }))
        .filter(({ offset }) => offset >= 0),
    );
  }

  /** Shares the records of a call out to partitions. What cannot go to one is in a share of none. */
  #shared(records: readonly KafkaOutgoing[]): readonly Share[] {
    const turn = this.#turn++;
    const shares = new Map<string, Share>();
    for (const [index, record] of records.entries()) {
      const { topic, key } = record;
      const partitions = this.#kafka.partitionCount(topic);
      const partition = record.partition ?? (key === null ? turn % partitions : partitionOfKey(key, partitions));
      const isThere = partition < partitions;
      const name = isThere ? `${topic}/${partition}` : '';
      const share = shares.get(name) ?? { name, of: isThere ? { topic, partition } : undefined, records: new Map() };
      share.records.set(index, record);
      shares.set(name, share);
    }
    return [...shares.values()];
  }

  /** Waits for a leader as long as a call may take. */
  #whenLed(share: Share, call: FakeCall): Observable<KafkaSent> {
    const led$ = this.#kafka.led$.pipe(filter(() => !this.#isLeaderless(share)));
    const late$ = timer(this.#producing.sendTimeoutMs).pipe(
      map(() => {
        throw new Error('it has no leader');
      }),
    );
    return merge(led$, late$).pipe(
      take(1),
      map(() => this.#write(share, call)),
      catchError((error: unknown) => of(this.#giveUp(share, error))),
    );
  }

  #isLeaderless({ of: target }: Share): boolean {
    return target !== undefined && this.#kafka.isLeaderless(target);
  }

  /** What is behind something that was given up in its partition is given up too. */
  #write(share: Share, call: FakeCall): KafkaSent {
    if (call.number <= (this.#givenUp.get(share.name) ?? -1))
      return unknownIf(share, new Error('what was before it is not there'));
    return this.#store(share, (target, record) => this.#kafka.write(target, record, null), call.isWanted);
  }

  #giveUp(share: Share, cause: unknown): KafkaSent {
    if (share.of !== undefined) this.#givenUp.set(share.name, this.#calls - 1);
    return unknownIf(share, cause);
  }

  #store(
    { of: target, records }: Share,
    write: (of: TopicPartition, record: KafkaOutgoing) => void,
    isWanted: (index: number) => boolean = () => true,
  ): KafkaSent {
    const rejected = new Map<number, RxflumeError>();
    const written: number[] = [];
    for (const [index, record] of records) {
      const rejection = isWanted(index) ? this.#rejectionOf(record, target) : withdrawn();
      if (rejection !== undefined || target === undefined) {
        rejected.set(index, rejection ?? missingTopic(record.topic));
        continue;
      }
      write(target, record);
      written.push(index);
    }
    this.#kafka.wake();
    return { written, rejected };
  }

  #rejectionOf(record: KafkaOutgoing, target: TopicPartition | undefined): RxflumeError | undefined {
    const { topic, key, value, partition } = record;
    if (this.#kafka.partitionCount(topic) === 0) return missingTopic(topic);
    const bytes = (key?.length ?? 0) + (value?.length ?? 0);
    if (bytes > this.#producing.maxRecordBytes) {
      return new SinkError('RXF_KAFKA_RECORD_TOO_LARGE', `A record for topic ${topic} has ${bytes} bytes.`);
    }
    if (target === undefined) return recordRejection(topic, partition as number, 'it has no such partition');
    return this.#kafka.rejectionOf(record, target.partition);
  }

  #step<T>(step: ProducerStep, act: () => T): Observable<T> {
    return defer(() => {
      if (this.#life.closed) throw new SinkError('RXF_SINK_STOPPED', 'The producer was closed.');
      return timer(this.#latencyMs).pipe(
        concatMap(() => {
          // A lost answer is found out by waiting for it; what was asked for is carried out all the same.
          const fate = this.#kafka.fate(step);
          if (fate === 'late') this.#actLate(act);
          if (fate === 'fail' || fate === 'late') throw stepError(step);
          const answer = act();
          if (fate === 'lose') throw stepError(step);
          return of(answer);
        }),
      );
    });
  }

  /** The caller may be gone by then, and its request be rejected. */
  #actLate(act: () => unknown): void {
    timer(LATE * this.#latencyMs).subscribe(() => {
      try {
        act();
      } catch (rejected) {
        if (!(rejected instanceof FencedError)) throw rejected;
      }
    });
  }
}

interface Steps {
  send(records: readonly KafkaOutgoing[]): Observable<KafkaSent>;
  offsets(groupId: string, offsets: readonly PartitionOffset[]): Observable<unknown>;
  end(): Observable<unknown>;
}

class Transactions implements KafkaTransactions {
  readonly #steps: Steps;
  #over: RxflumeError | undefined;

  constructor(steps: Steps) {
    this.#steps = steps;
  }

  send(records: readonly KafkaOutgoing[]): Observable<KafkaSent> {
    return this.#unlessOver(() => this.#steps.send(records));
  }

  commit(groupId: string, offsets: readonly PartitionOffset[]): Observable<unknown> {
    return this.#unlessOver(() => this.#steps.offsets(groupId, offsets).pipe(concatMap(() => this.#steps.end())));
  }

  #unlessOver<T>(act: () => Observable<T>): Observable<T> {
    return defer(() => {
      if (this.#over !== undefined) throw this.#over;
      return act().pipe(
        catchError((error: unknown) => {
          this.#over = error as RxflumeError;
          throw error;
        }),
      );
    });
  }
}

function stepError({ verb, id }: ProducerStep): RxflumeError {
  if (id !== undefined && verb !== 'take') {
    return new SinkError('RXF_KAFKA_TRANSACTION', `Transaction of ${id}: ${verb} was lost on the way.`);
  }
  return new ConnectError('RXF_KAFKA_UNREACHABLE', `Kafka did not answer to ${verb}.`);
}
