import { map, Observable, type OperatorFunction, Subject, type Subscription } from 'rxjs';
import { drainOn, retryConnect } from '../../../operators/index.js';
import { type LogEvent, Monitor } from '../../../src/core/monitor.js';
import type { Delivery } from '../../../src/delivery/delivery.js';
import type { Receipt } from '../../../src/delivery/receipt.js';
import type { KafkaConsumer, KafkaDriver } from '../../../src/ports/kafka-consumer.js';
import type { KafkaProducerDriver } from '../../../src/ports/kafka-producer.js';
import { kafkaSink } from '../../../src/sinks/kafka/kafka-sink.js';
import type { KafkaSinkOptions } from '../../../src/sinks/kafka/options.js';
import { kafkaSource } from '../../../src/sources/kafka/kafka-source.js';
import type { KafkaSourceOptions } from '../../../src/sources/kafka/options.js';
import type { MemoryKafka } from '../../../src/testing/memory/memory-kafka.js';

export type Bytes = Buffer | null;

export interface CopyOptions {
  readonly sink?: Partial<KafkaSinkOptions<Bytes>>;
  readonly source?: Partial<KafkaSourceOptions>;
  readonly through?: OperatorFunction<Delivery<Bytes>, Delivery<Bytes>>;
  /** `at-least-once` without `resumeFrom`. */
  readonly level?: 'exactly-once' | 'at-least-once';
  /** What the sink writes through, where that is not the cluster itself. */
  readonly writing?: KafkaProducerDriver;
}

/** Topic `chat` into topic `copy` of the same cluster as group `copier`, with what came of it written down. */
export function copy(kafka: MemoryKafka, options: CopyOptions = {}) {
  const monitor = new Monitor();
  const stop$ = new Subject<void>();
  const target = kafkaSink<Bytes>(options.writing ?? kafka, {
    topic: 'copy',
    batch: { maxWaitMs: 5 },
    transaction: { intervalMs: 50 },
    monitor,
    ...options.sink,
  });
  const run = {
    receipts: [] as Receipt[],
    logEvents: [] as LogEvent[],
    ended: '',
    error: undefined as (Error & { code?: string }) | undefined,
    consumer: undefined as KafkaConsumer | undefined,
    stop: () => stop$.next(),
    subscription: undefined as Subscription | undefined,
    codes: () => run.logEvents.map(({ what }) => what),
    metric: (name: string) => monitor.total(name),
  };
  monitor.logEvents$.subscribe((logEvent) => run.logEvents.push(logEvent));
  const noting: KafkaDriver = {
    name: kafka.name,
    addresses: kafka.addresses,
    connect: (subscription, listener) =>
      kafka.connect(subscription, listener).pipe(
        map((consumer) => {
          run.consumer = consumer;
          return consumer;
        }),
      ),
  };
  const source = kafkaSource(noting, {
    topics: ['chat'],
    groupId: 'copier',
    ...(options.level === 'at-least-once' ? {} : { resumeFrom: target.offsetStore }),
    redeliver: { firstDelayMs: 20, maxDelayMs: 100, maxAttempts: 100 },
    commit: { intervalMs: 40 },
    monitor,
    ...options.source,
  }).pipe(retryConnect({ maxAttempts: 1_000, firstDelayMs: 10, maxDelayMs: 20, jitter: 0, monitor }));
  run.subscription = new Observable<Receipt>((subscriber) =>
    source.pipe(drainOn(stop$), options.through ?? ((deliveries) => deliveries), target.write()).subscribe(subscriber),
  ).subscribe({
    next: (receipt) => run.receipts.push(receipt),
    error: (error: Error) => {
      run.ended = 'error';
      run.error = error;
    },
    complete: () => {
      run.ended = 'complete';
    },
  });
  return run;
}

/** What a reader of committed records finds in `copy`, as numbers, in order of each partition. */
export function copied(kafka: MemoryKafka, topic = 'copy'): number[] {
  return kafka.read(topic).map(({ value }) => Number(value));
}

/** Numbers [from, to) into the partitions of `chat` by turns. */
export function feed(kafka: MemoryKafka, from: number, to: number, partitions = 1): void {
  for (let n = from; n < to; n += 1) kafka.produce('chat', n % partitions, [String(n)]);
}

export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}
