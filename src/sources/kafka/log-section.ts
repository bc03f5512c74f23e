import { concat, concatMap, defer, from, ignoreElements, map, mergeMap, type Observable, of, Subject, tap } from 'rxjs';
import { ConnectError } from '../../core/errors.js';
import type { Origin } from '../../delivery/delivery.js';
import type { LogPlace, SectionAsked } from '../../delivery/rehearsal.js';
import { lookUpOffsets } from '../../offsets/look-up-offsets.js';
import type {
  KafkaBatch,
  KafkaConsumer,
  KafkaDriver,
  KafkaListener,
  KafkaSubscription,
  PartitionOffset,
  TopicPartition,
} from '../../ports/kafka-consumer.js';
import { streamOf } from './partition.js';

/** What is read of one stream, and how far that is. */
interface Progress {
  readonly to: number;
  isRead: boolean;
  /** The last record that was handed on, and the last that the source has emitted; −1 for none. */
  handed: number;
  emitted: number;
}

/**
 * A part of a log, as a driver over another: each stream ends where the part does, and begins where it does unless the store of offsets
 * knows how far it was read. The start is noted in that store before the first record.
 *
 * Fails: `ConnectError` `RXF_KAFKA_RESUME` where the driver cannot look up what the part is given by.
 */
export class LogSection {
  readonly #asked: SectionAsked;
  readonly #reached$ = new Subject<void>();
  /** Emits when the source has emitted all of it. */
  readonly reached$: Observable<void> = this.#reached$.asObservable();
  /** By stream, of the assignment that is held. */
  readonly #streams = new Map<string, Progress>();
  #isPlaced = false;

  constructor(asked: SectionAsked) {
    this.#asked = asked;
  }

  /** The source has emitted this one. */
  emitted({ stream, offset }: Origin): void {
    const progress = this.#streams.get(stream);
    if (progress === undefined) return;
    progress.emitted = offset;
    this.#look();
  }

  driver(whole: KafkaDriver): KafkaDriver {
    const { name, addresses, rebalanceTimeoutMs } = whole;
    return {
      name,
      ...(addresses && { addresses }),
      ...(rebalanceTimeoutMs !== undefined && { rebalanceTimeoutMs }),
      connect: (subscription, listener) => {
        const found: { consumer?: KafkaConsumer } = {};
        return whole.connect(subscription, this.#listener(found, subscription, listener)).pipe(
          tap((consumer) => {
            found.consumer = consumer;
          }),
          map((consumer) => this.#consumer(consumer)),
        );
      },
    };
  }

  #listener(
    found: { readonly consumer?: KafkaConsumer },
    { groupId }: KafkaSubscription,
    inner: KafkaListener,
  ): KafkaListener {
    type Answer = () => ReturnType<KafkaListener['assigned']>;
    const placed = (partitions: readonly TopicPartition[], answer: Answer) =>
      concat(
        defer(() => this.#place(found.consumer, partitions, groupId)),
        defer(() => from(answer()).pipe(tap((starts) => this.#started(partitions, starts)))),
      );
    return {
      assigned: (epoch, partitions) => {
        this.#forget();
        return placed(partitions, () => inner.assigned(epoch, partitions));
      },
      ...(inner.added && {
        added: (epoch: number, partitions: readonly TopicPartition[]) =>
          placed(partitions, () => inner.added?.(epoch, partitions) ?? []),
      }),
      began: (epoch, starts) => inner.began(epoch, starts),
      revoking: (partitions) => inner.revoking(partitions),
      lost: (partitions) => {
        this.#forget(partitions);
        inner.lost(partitions);
      },
      records: (batch) => this.#records(found.consumer as KafkaConsumer, batch, inner),
      reading: (isReading) => inner.reading(isReading),
      logEvent: (level, what, message) => inner.logEvent(level, what, message),
    };
  }

  /** Learns where these begin and end, and notes the start of those of which nothing is stored. */
  #place(
    consumer: KafkaConsumer | undefined,
    partitions: readonly TopicPartition[],
    groupId: string,
  ): Observable<never> {
    const { from: first, to, offsetStore } = this.#asked;
    const streams = partitions.map(streamOf);
    const known$ = lookUpOffsets(
      () => offsetStore(streams, { groupId }),
      streams,
      'RXF_KAFKA_RESUME',
      () => undefined,
    );
    return placesOf(consumer, partitions, first).pipe(
      concatMap((starts) => placesOf(consumer, partitions, to).pipe(map((ends) => ({ starts, ends })))),
      concatMap(({ starts, ends }) => known$.pipe(map((known) => ({ starts, ends, known })))),
      concatMap(({ starts, ends, known }) => {
        for (const stream of streams) {
          this.#streams.set(stream, { to: ends.get(stream) ?? 0, isRead: false, handed: -1, emitted: -1 });
        }
        return from(streams.filter((stream) => known.get(stream) === undefined)).pipe(
          mergeMap((stream) => from(offsetStore.begin?.(stream, starts.get(stream) ?? 0) ?? []), 4),
        );
      }),
      ignoreElements(),
    );
  }

  #started(partitions: readonly TopicPartition[], starts: readonly PartitionOffset[]): void {
    for (const of of partitions) {
      const start = starts.find(({ topic, partition }) => topic === of.topic && partition === of.partition);
      const progress = this.#streams.get(streamOf(of));
      if (progress !== undefined && start !== undefined && start.offset >= progress.to) progress.isRead = true;
    }
    this.#isPlaced = true;
    this.#look();
  }

  #records(consumer: KafkaConsumer, batch: KafkaBatch, inner: KafkaListener): void {
    const progress = this.#streams.get(streamOf(batch));
    if (progress === undefined || progress.isRead) {
      consumer.pause([batch]);
      return;
    }
    const { to } = progress;
    progress.isRead = batch.nextOffset >= to;
    if (progress.isRead) consumer.pause([batch]);
    const isCut = (batch.records.at(batch.records.length - 1)?.offset ?? -1) >= to;
    const records = isCut ? [...batch.records].filter(({ offset }) => offset < to) : batch.records;
    progress.handed = records.at(records.length - 1)?.offset ?? progress.handed;
    const { topic, partition, epoch } = batch;
    inner.records({
      ...{ topic, partition, epoch, records },
      byteLength: isCut ? [...records].reduce((sum, { byteLength }) => sum + byteLength, 0) : batch.byteLength,
      nextOffset: Math.min(batch.nextOffset, to),
      highWatermark: Math.min(batch.highWatermark, to),
    });
    this.#look();
  }

  #consumer(whole: KafkaConsumer): KafkaConsumer {
    const { describeLogs } = whole;
    return {
      pause: (partitions) => whole.pause(partitions),
      resume: (partitions) => whole.resume(partitions.filter((one) => !this.#streams.get(streamOf(one))?.isRead)),
      seek: (position) => {
        const progress = this.#streams.get(streamOf(position));
        if (progress !== undefined && position.offset < progress.to) {
          Object.assign(progress, { isRead: false, handed: -1, emitted: -1 });
          whole.resume([position]);
        }
        whole.seek(position);
      },
      commit: (epoch, offsets) => (this.#asked.commits ? whole.commit(epoch, offsets) : of(undefined)),
      ...(describeLogs && {
        describeLogs: (partitions) =>
          from(describeLogs.call(whole, partitions)).pipe(
            map((facts) =>
              facts.map((one) => ({ ...one, end: Math.min(one.end, this.#streams.get(streamOf(one))?.to ?? one.end) })),
            ),
          ),
      }),
      close: () => whole.close(),
    };
  }

  #forget(partitions?: readonly TopicPartition[]): void {
    if (partitions === undefined) this.#streams.clear();
    else for (const one of partitions) this.#streams.delete(streamOf(one));
    this.#isPlaced = false;
  }

  #look(): void {
    if (!this.#isPlaced) return;
    for (const { isRead, handed, emitted } of this.#streams.values()) if (!isRead || emitted < handed) return;
    this.#reached$.next();
  }
}

/** The offset of the place in each of these, as its log is now. */
function placesOf(
  consumer: KafkaConsumer | undefined,
  partitions: readonly TopicPartition[],
  place: LogPlace,
): Observable<ReadonlyMap<string, number>> {
  if ('timeMs' in place) {
    if (consumer?.offsetsAt === undefined) throw cannot('offsets by time');
    return from(consumer.offsetsAt(partitions, place.timeMs)).pipe(
      map((found) => new Map(found.map((one) => [streamOf(one), one.offset]))),
    );
  }
  if (consumer?.describeLogs === undefined) throw cannot('where logs end');
  return from(consumer.describeLogs(partitions)).pipe(
    map((logs) => {
      const ends = new Map(
        logs.map((one) => {
          const wanted = 'offset' in place ? place.offset : place.offsets.get(streamOf(one));
          if (wanted === undefined) return [streamOf(one), one.end] as const;
          // What is named by stream was there: where the log has deleted it, reading fails and says so.
          const least = 'offset' in place ? (one.start ?? 0) : 0;
          return [streamOf(one), Math.min(Math.max(wanted, least), one.end)] as const;
        }),
      );
      const missing = partitions.map(streamOf).filter((stream) => !ends.has(stream));
      if (missing.length > 0) throw cannot(`where the log of ${missing.join(', ')} ends`);
      return ends;
    }),
  );
}

function cannot(what: string): ConnectError {
  return new ConnectError(
    'RXF_KAFKA_RESUME',
    `The driver cannot look up ${what}, by which the part to read is given. Nothing was read.`,
  );
}
