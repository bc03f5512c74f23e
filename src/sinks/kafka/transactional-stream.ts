import {
  catchError,
  concat,
  concatMap,
  defer,
  EMPTY,
  from,
  ignoreElements,
  Observable,
  ReplaySubject,
  reduce,
  take,
  tap,
} from 'rxjs';
import { FencedError, OptionError } from '../../core/errors.js';
import type { TopicPartition } from '../../ports/kafka-consumer.js';
import type { KafkaOutgoing, KafkaSent, KafkaTransactions } from '../../ports/kafka-producer.js';
import type { SharedProducer } from './shared-producer.js';

/** A stream with the group that reads it: what a transactional id stands for. */
export interface GroupStream {
  readonly groupId: string;
  readonly stream: string;
  readonly of: TopicPartition;
}

/** A stream of Kafka for a group. Fails where it is of no topic, whose offsets a group could have. */
export function groupStream(groupId: string, stream: string): GroupStream {
  const [, topic, partition] = /^kafka:(.+)\/(\d+)$/.exec(stream) ?? [];
  if (topic === undefined) {
    throw new OptionError(
      'RXF_OPTION_INVALID',
      `Expected \`resumeFrom: sink.offsetStore\` of a kafkaSink only with a kafkaSource, got a stream \`${stream}\`. Leave it out: the flow ` +
        'is at least once then.',
    );
  }
  return { groupId, stream, of: { topic, partition: Number(partition) } };
}

/**
 * One id for one stream of one group, whichever process writes it and however the sink is set up: taking it fences every other.
 *
 * Source: KIP-98; the pattern of one id a partition.
 */
export function transactionalIdOf(prefix: string, { groupId, stream }: GroupStream): string {
  return `${prefix}-${groupId}-${stream}`;
}

/**
 * A stream that was resumed: its transactions, and how far they are committed. Calls go one after the other.
 */
export class TransactionalStream {
  readonly #shared: SharedProducer;
  readonly #id: string;
  readonly #of: GroupStream;
  #transactions: KafkaTransactions;
  /** The offset that the group has, −1 where it has none. */
  #committed: number;
  /** One that was sent, and it is unknown whether it was carried out. */
  #inDoubt = -1;
  #isBroken = false;
  /** Another has gone on with the stream: to take it again would only disturb that one. */
  #overtaken: FencedError | undefined;
  #last: Observable<never> = EMPTY;
  /** Whether a transaction is open that `commitAlone` would commit too early. */
  isOpen = false;

  constructor(shared: SharedProducer, id: string, of: GroupStream, transactions: KafkaTransactions, committed: number) {
    this.#shared = shared;
    this.#id = id;
    this.#of = of;
    this.#transactions = transactions;
    this.#committed = committed;
  }

  /** Answers once, for all of them. */
  send(records: readonly KafkaOutgoing[]): Observable<KafkaSent> {
    return this.#inTurn(() => from(this.#transactions.send(records)).pipe(reduce(together, NOTHING)));
  }

  /** Commits what was sent, with the offset up to which it is done. */
  commit(offset: number): Observable<never> {
    return this.#inTurn(() => this.#commit(offset));
  }

  /**
   * Commits an offset by itself, where all before it was done without a record, and no transaction is open that will do
   * it. After a failure before, looks first whether the group's offset is still what it was here: another may have gone on.
   *
   * Fails: `RXF_KAFKA_FENCED` where one has.
   */
  commitAlone(offset: number): Observable<never> {
    return this.#inTurn(() => {
      if (this.#overtaken !== undefined) throw this.#overtaken;
      if (this.isOpen || offset <= this.#committed) return EMPTY;
      return concat(this.#isBroken ? this.#takeAgain() : EMPTY, this.#commit(offset));
    });
  }

  #commit(offset: number): Observable<never> {
    return defer(() => {
      this.#inDoubt = offset;
      return from(this.#transactions.commit(this.#of.groupId, [{ ...this.#of.of, offset }]));
    }).pipe(
      ignoreElements(),
      tap({
        complete: () => {
          this.#committed = offset;
        },
      }),
      catchError((error: unknown) => {
        this.#isBroken = true;
        throw error;
      }),
    );
  }

  #takeAgain(): Observable<never> {
    return this.#shared
      .using((producer) =>
        from(producer.take(this.#id)).pipe(
          take(1),
          concatMap((transactions) =>
            from(producer.committed(this.#of.groupId, [this.#of.of])).pipe(
              take(1),
              tap(([known]) => {
                const offset = known?.offset ?? -1;
                if (offset !== this.#committed && offset !== this.#inDoubt) {
                  this.#overtaken = overtakenError(this.#of, offset);
                  throw this.#overtaken;
                }
                this.#committed = offset;
                this.#transactions = transactions;
                this.#isBroken = false;
              }),
            ),
          ),
        ),
      )
      .pipe(ignoreElements());
  }

  #inTurn<T>(act: () => Observable<T>): Observable<T> {
    return new Observable((subscriber) => {
      const before$ = this.#last;
      const done$ = new ReplaySubject<never>(1);
      this.#last = done$;
      // Also one that is given up before its turn holds up those behind it until those before it are done.
      subscriber.add(() => before$.subscribe({ complete: () => done$.complete() }));
      subscriber.add(concat(before$, defer(act)).subscribe(subscriber));
    });
  }
}

const NOTHING: KafkaSent = { written: [], rejected: new Map() };

function together(a: KafkaSent, b: KafkaSent): KafkaSent {
  const written = a.written.length === 0 ? b.written : [...a.written, ...b.written].sort((one, other) => one - other);
  return { written, rejected: new Map([...a.rejected, ...b.rejected]) };
}

function overtakenError({ groupId, stream }: GroupStream, offset: number): FencedError {
  return new FencedError(
    'RXF_KAFKA_FENCED',
    `${stream}: group ${groupId} is at offset ${offset}, where this program did not bring it; another reads the stream. Nothing was committed.`,
    { details: { groupId, stream, offset } },
  );
}
