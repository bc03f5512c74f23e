import { concatMap, defer, from, ignoreElements, map, merge, mergeMap, type Observable, take, toArray } from 'rxjs';
import { OptionError } from '../../core/errors.js';
import type { AckedUpTo, OffsetStore, OffsetStoreReader } from '../../offsets/offset-store.js';
import type { KafkaProducer } from '../../ports/kafka-producer.js';
import type { SharedProducer } from './shared-producer.js';
import { type GroupStream, groupStream, TransactionalStream, transactionalIdOf } from './transactional-stream.js';

/** Transactional ids that are taken side by side. */
const TAKE_AT_ONCE = 16;

/**
 * The group's own offsets as the ledger of a Kafka sink. Asked about streams, it first takes the transactional id of each,
 * which fences the producer that had it and decides what that one had open, and only then reads the offsets: before that, they could
 * still move.
 */
export class GroupOffsets {
  readonly offsetStore: OffsetStore;
  readonly #shared: SharedProducer;
  readonly #idPrefix: string;
  /** By what was answered, so that a delivery finds the taking it belongs to and no later one. */
  readonly #taken = new WeakMap<ReadonlyMap<string, number>, ReadonlyMap<string, TransactionalStream>>();
  #isAsked = false;

  constructor(shared: SharedProducer, idPrefix: string) {
    this.#shared = shared;
    this.#idPrefix = idPrefix;
    this.offsetStore = Object.assign(
      (streams: readonly string[], reader?: OffsetStoreReader) => this.#resume(streams, reader),
      { commit: (acked: readonly AckedUpTo[]) => this.#commit(acked) },
    );
  }

  /** Whether a source has ever asked: the flow wants exactly once. */
  get isAsked(): boolean {
    return this.#isAsked;
  }

  /** The stream as it was resumed with that answer. */
  taken(stream: string, answer: ReadonlyMap<string, number>): TransactionalStream | undefined {
    return this.#taken.get(answer)?.get(stream);
  }

  #resume(streams: readonly string[], reader: OffsetStoreReader | undefined): Observable<ReadonlyMap<string, number>> {
    return defer(() => {
      if (reader === undefined) throw noGroupError();
      this.#isAsked = true;
      const of = streams.map((stream) => groupStream(reader.groupId, stream));
      return this.#shared.using((producer) => this.#takeAll(producer, reader.groupId, of));
    });
  }

  #takeAll(
    producer: KafkaProducer,
    groupId: string,
    streams: readonly GroupStream[],
  ): Observable<ReadonlyMap<string, number>> {
    const taken$ = from(streams).pipe(
      mergeMap((of) => {
        const id = transactionalIdOf(this.#idPrefix, of);
        return from(producer.take(id)).pipe(
          take(1),
          map((transactions) => ({ of, id, transactions })),
        );
      }, TAKE_AT_ONCE),
      toArray(),
    );
    return taken$.pipe(
      concatMap((all) =>
        from(
          producer.committed(
            groupId,
            streams.map(({ of }) => of),
          ),
        ).pipe(
          take(1),
          map((offsets) => {
            const answer = new Map<string, number>();
            const taken = new Map<string, TransactionalStream>();
            for (const { of, id, transactions } of all) {
              const { topic, partition } = of.of;
              const known = offsets.find((one) => one.topic === topic && one.partition === partition);
              if (known !== undefined) answer.set(of.stream, known.offset);
              const committed = known?.offset ?? -1;
              taken.set(of.stream, new TransactionalStream(this.#shared, id, of, transactions, committed));
            }
            this.#taken.set(answer, taken);
            return answer;
          }),
        ),
      ),
    );
  }

  #commit(acked: readonly AckedUpTo[]): Observable<never> {
    return merge(
      ...acked.map(({ stream, offset, lookup }) => this.taken(stream, lookup)?.commitAlone(offset) ?? from([])),
    ).pipe(ignoreElements());
  }
}

function noGroupError(): OptionError {
  return new OptionError(
    'RXF_OPTION_INVALID',
    'The positions of a kafkaSink are the offsets of a group: only a source that says which it reads as, such as kafkaSource, can ask for them.',
  );
}
