import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { map, type Observable, tap } from 'rxjs';
import { deadLetter } from '../../operators/index.js';
import { Monitor } from '../../src/core/monitor.js';
import type { DeadLetter } from '../../src/delivery/dead-letter.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Receipt } from '../../src/delivery/receipt.js';
import { flow } from '../../src/flow/flow.js';
import { kafkaSink } from '../../src/sinks/kafka/kafka-sink.js';
import type { KafkaSinkOptions } from '../../src/sinks/kafka/options.js';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.js';
import { LiveKafka } from '../drivers/kafkajs/live-kafka.js';
import { committed, fresh, sleep } from './support.js';
import { readAll } from './topic-reader.js';

jest.setTimeout(60_000);

type Bytes = Buffer | null;

interface Cause {
  readonly what: string;
  readonly code: string;
  readonly config?: Record<string, string>;
  readonly sink?: (isBad: (value: Bytes) => boolean, copy: string) => Partial<KafkaSinkOptions<Bytes>>;
}

const kafka = new LiveKafka();
const HOUR = '3600000';

const CAUSES: readonly Cause[] = [
  {
    what: 'has no key, for a compacted topic',
    code: 'RXF_KAFKA_RECORD_REJECTED',
    config: { 'cleanup.policy': 'compact' },
    sink: (isBad) => ({ key: (value) => (isBad(value) ? null : String(value)) }),
  },
  {
    what: 'is older than `message.timestamp.before.max.ms`',
    code: 'RXF_KAFKA_RECORD_REJECTED',
    config: { 'message.timestamp.before.max.ms': HOUR },
    sink: (isBad) => ({ timestamp: (value) => (isBad(value) ? 1_000 : null) }),
  },
  {
    what: 'is newer than `message.timestamp.after.max.ms`',
    code: 'RXF_KAFKA_RECORD_REJECTED',
    config: { 'message.timestamp.after.max.ms': HOUR },
    sink: (isBad) => ({ timestamp: (value) => (isBad(value) ? 9e12 : null) }),
  },
  {
    what: 'is too large for its topic',
    code: 'RXF_KAFKA_RECORD_TOO_LARGE',
    config: { 'max.message.bytes': '2000' },
    sink: (isBad) => ({ encode: (value) => (isBad(value) ? 'x'.repeat(5_000) : value) }),
  },
  {
    what: 'goes to a partition that is not there',
    code: 'RXF_KAFKA_RECORD_REJECTED',
    sink: (isBad) => ({ partition: (value) => (isBad(value) ? 7 : null) }),
  },
  {
    what: 'goes to a topic that is not there',
    code: 'RXF_SINK_ROUTE',
    sink: (isBad, copy) => ({ topic: (value) => (isBad(value) ? `${copy}-none` : copy) }),
  },
];

function box(letters: DeadLetter[]) {
  const receipt: Receipt = {
    sink: 'box',
    target: 'box',
    stream: '',
    values: 1,
    bytes: 0,
    firstOffset: 0,
    lastOffset: 0,
  };
  return (deliveries: Observable<Delivery<DeadLetter>>) =>
    deliveries.pipe(
      tap((delivery) => {
        letters.push(delivery.value);
        delivery.ack();
      }),
      map(() => receipt),
    );
}

describe('one record of ten that Kafka does not take', () => {
  beforeAll(() => kafka.start(), 30_000);
  afterAll(() => kafka.stop());

  for (const level of ['at-least-once', 'exactly-once'] as const) {
    it.each(CAUSES)(
      `is set aside alone where it $what; the others are there, ${level}`,
      async ({ code, config, sink }) => {
        const topic = fresh('kafka-sink-bad');
        const copy = `${topic}-copy`;
        await kafka.createTopic(topic, 1);
        await kafka.createTopic(copy, 1, config);
        const ten = Array.from({ length: 10 }, (_, n) => ({ value: JSON.stringify({ n }) }));
        await kafka.produce(topic, 0, ten);
        const isBad = (value: Bytes) => value !== null && JSON.parse(value.toString()).n === 4;
        const monitor = new Monitor();
        const letters: DeadLetter[] = [];
        const target = kafkaSink<Bytes>(kafka.driver, {
          topic: copy,
          monitor,
          transaction: { intervalMs: 200 },
          ...sink?.(isBad, copy),
        });
        const copying = flow(
          'copying',
          kafkaSource(kafka.driver, {
            topics: [topic],
            groupId: topic,
            startAt: 'earliest',
            commit: { intervalMs: 100 },
            monitor,
            ...(level === 'exactly-once' ? { resumeFrom: target.offsetStore } : {}),
          }),
          deadLetter<Bytes>(box(letters)),
          target.write(),
        );
        let failure: unknown;
        const running = copying.subscribe({
          error: (error: unknown) => {
            failure = error;
          },
        });
        for (let looks = 0; looks < 80 && failure === undefined && (await committed(topic, topic)) < 10; looks += 1) {
          await sleep(100);
        }
        running.unsubscribe();
        expect(failure).toBeUndefined();
        expect(letters.map(({ offset, code: of }) => [offset, of])).toEqual([[4, code]]);
        expect(await readAll(copy, 9)).toEqual([0, 1, 2, 3, 5, 6, 7, 8, 9]);
        expect(await committed(topic, topic)).toBe(10);
      },
    );
  }
});
