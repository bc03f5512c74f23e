import { catchError, concatMap, defer, type Observable, of, type Subscriber, Subscription, timer } from 'rxjs';
import { ConnectError, FencedError, type RxflumeError, SinkError } from '../core/errors.js';
import { partitionOfKey } from '../core/kafka-key.js';
import type { PartitionOffset, TopicPartition } from '../ports/kafka-consumer.js';
import type {
  KafkaOutgoing,
  KafkaProducer,
  KafkaProducing,
  KafkaSent,
  KafkaTransactions,
} from '../ports/kafka-producer.js';
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
export interface MemoryCluster extends TransactionStore {
  readonly transactions: MemoryTransactions;
  readonly fate: (step: ProducerStep) => ProducerFate;
  partitionCount(topic: string): number;
  committed(groupId: string, topic: string, partition: number): number;
  wake(): void;
}

/** A producer of `MemoryKafka`: each step takes the cluster's latency, and meets the fate that the cluster says. */
export class MemoryProducer implements KafkaProducer {
  readonly #kafka: MemoryCluster;
  readonly #producing: KafkaProducing;
  readonly #latencyMs: number;
  readonly #out: Subscriber<KafkaProducer>;
  readonly #life = new Subscription();
  #turn = 0;

  constructor(kafka: MemoryCluster, producing: KafkaProducing, latencyMs: number, out: Subscriber<KafkaProducer>) {
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

  send(records: readonly KafkaOutgoing[]): Observable<KafkaSent> {
    const write = () => this.#write(records, (of, record) => this.#kafka.write(of, record, null));
    return this.#step({ verb: 'send', id: undefined }, write).pipe(
      catchError((error: unknown) => {
        if ((error as RxflumeError).code === 'RXF_SINK_STOPPED') throw error;
        const refusal = new SinkError('RXF_KAFKA_SEND', 'Nobody knows whether it was written.', { cause: error });
        return of({ refused: new Map(records.map((_, place) => [place, refusal])) });
      }),
    );
  }

  take(transactionalId: string): Observable<KafkaTransactions> {
    const { transactions } = this.#kafka;
    return this.#step({ verb: 'take', id: transactionalId }, () => {
      const epoch = transactions.take(transactionalId);
      return new Transactions({
        send: (records) =>
          this.#step({ verb: 'send', id: transactionalId }, () =>
            this.#write(records, (of, record) => transactions.write(transactionalId, epoch, of, record)),
          ),
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

  #write(records: readonly KafkaOutgoing[], write: (of: TopicPartition, record: KafkaOutgoing) => void): KafkaSent {
    const refused = new Map<number, RxflumeError>();
    const turn = this.#turn++;
    for (const [place, record] of records.entries()) {
      const { topic, key } = record;
      const partitions = this.#kafka.partitionCount(topic);
      const partition = record.partition ?? (key === null ? turn % partitions : partitionOfKey(key, partitions));
      const refusal = this.#refusalOf(record, partition, partitions);
      if (refusal === undefined) write({ topic, partition }, record);
      else refused.set(place, refusal);
    }
    this.#kafka.wake();
    return { refused };
  }

  #refusalOf({ topic, key, value }: KafkaOutgoing, partition: number, partitions: number): RxflumeError | undefined {
    if (partitions === 0) return new ConnectError('RXF_KAFKA_TOPIC_MISSING', `There is no topic ${topic}. Create it.`);
    const bytes = (key?.length ?? 0) + (value?.length ?? 0);
    if (bytes > this.#producing.maxRecordBytes) {
      return new SinkError('RXF_KAFKA_RECORD_TOO_LARGE', `A record for topic ${topic} has ${bytes} bytes.`);
    }
    if (partition < partitions) return undefined;
    return new SinkError('RXF_KAFKA_REFUSED', `Topic ${topic} has no partition ${partition}.`);
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

  /** The one who asked may be gone by then, and what it asked for be refused. */
  #actLate(act: () => unknown): void {
    timer(LATE * this.#latencyMs).subscribe(() => {
      try {
        act();
      } catch (refused) {
        if (!(refused instanceof FencedError)) throw refused;
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
