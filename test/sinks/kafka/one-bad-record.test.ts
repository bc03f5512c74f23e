import { describe, expect, it } from '@jest/globals';
import { map, type Observable, tap } from 'rxjs';
import { deadLetter } from '../../../operators/index.js';
import type { DeadLetter } from '../../../src/delivery/dead-letter.js';
import type { Delivery } from '../../../src/delivery/delivery.js';
import type { Receipt } from '../../../src/delivery/receipt.js';
import type { KafkaSinkOptions } from '../../../src/sinks/kafka/options.js';
import { MemoryKafka } from '../../../src/testing/memory/memory-kafka.js';
import type { TopicConfig } from '../../../src/testing/memory/memory-topic-rules.js';
import { inVirtualTime } from '../../support/virtual-time.js';
import { type Bytes, copied, copy, numbers } from './copying.js';

interface Cause {
  readonly what: string;
  readonly code: string;
  readonly config?: TopicConfig;
  readonly sink?: Partial<KafkaSinkOptions<Bytes>>;
  readonly prepare?: (kafka: MemoryKafka) => void;
}

const isBad = (value: Bytes) => Number(value) === 4;
const throwing = (value: Bytes): never => {
  throw new Error(`not ${value}`);
};

/** Each way in which the fifth of ten records is one that cannot be written. */
const CAUSES: readonly Cause[] = [
  {
    what: 'has no key, for a compacted topic',
    code: 'RXF_KAFKA_RECORD_REJECTED',
    config: { 'cleanup.policy': 'compact' },
    sink: { key: (value) => (isBad(value) ? null : 'k') },
  },
  {
    what: 'is older than its topic takes',
    code: 'RXF_KAFKA_RECORD_REJECTED',
    config: { 'message.timestamp.before.max.ms': '1000' },
    sink: { timestamp: (value) => (isBad(value) ? 0 : null) },
    prepare: () => undefined,
  },
  {
    what: 'is too large for its topic',
    code: 'RXF_KAFKA_RECORD_TOO_LARGE',
    config: { 'max.message.bytes': '50' },
    sink: { encode: (value) => (isBad(value) ? 'x'.repeat(60) : value) },
  },
  {
    what: 'goes to a partition that is not there',
    code: 'RXF_KAFKA_RECORD_REJECTED',
    sink: { partition: (value) => (isBad(value) ? 7 : null) },
  },
  {
    what: 'goes to a topic that is not there',
    code: 'RXF_SINK_ROUTE',
    sink: { topic: (value) => (isBad(value) ? 'elsewhere' : 'copy') },
  },
  {
    what: 'goes to a topic that is not ours',
    code: 'RXF_SINK_ROUTE',
    sink: { topic: (value) => (isBad(value) ? 'closed' : 'copy') },
    prepare: (kafka) => {
      kafka.createTopic('closed');
      kafka.forbid('closed');
    },
  },
  { what: 'names no topic', code: 'RXF_SINK_FORMAT', sink: { topic: (value) => (isBad(value) ? '..' : 'copy') } },
  {
    what: 'has a time that is none',
    code: 'RXF_SINK_FORMAT',
    sink: { timestamp: (value) => (isBad(value) ? Number.NaN : null) },
  },
  {
    what: 'has headers that are none',
    code: 'RXF_SINK_FORMAT',
    sink: { headers: (value) => (isBad(value) ? ({ h: 1 } as never) : {}) },
  },
  ...(['topic', 'encode', 'key', 'headers', 'timestamp', 'partition'] as const).map((name) => ({
    what: `is one for which \`${name}\` throws`,
    code: 'RXF_SINK_FORMAT',
    sink: { [name]: (value: Bytes) => (isBad(value) ? throwing(value) : FINE[name](value)) },
  })),
];

const FINE = {
  topic: () => 'copy',
  encode: (value: Bytes) => value,
  key: () => 'k',
  headers: () => ({}),
  timestamp: () => null,
  partition: () => null,
} as const;

function letterBox(letters: DeadLetter[]) {
  return (deliveries: Observable<Delivery<DeadLetter>>) =>
    deliveries.pipe(
      tap((delivery) => {
        letters.push(delivery.value);
        delivery.ack();
      }),
      map(
        (): Receipt => ({ sink: 'box', target: 'box', stream: '', values: 1, bytes: 0, firstOffset: 0, lastOffset: 0 }),
      ),
    );
}

describe.each(['at-least-once', 'exactly-once'] as const)('kafkaSink, %s', (level) => {
  it.each(CAUSES)(
    'sets aside the one record of ten that $what, and writes the others',
    ({ code, config, sink, prepare }) => {
      const kafka = new MemoryKafka();
      kafka.createTopic('chat');
      kafka.createTopic('copy', 1, config);
      prepare?.(kafka);
      const letters: DeadLetter[] = [];
      let run: ReturnType<typeof copy> | undefined;
      inVirtualTime((at) => {
        at(0, () => {
          run = copy(kafka, {
            level,
            through: deadLetter(letterBox(letters)),
            ...(sink === undefined ? {} : { sink }),
          });
        });
        // So that there is a time that is long ago.
        at(5_000, () => {
          for (const n of numbers(10)) kafka.produce('chat', 0, [{ value: String(n), timestamp: 5_000 }]);
        });
        at(10_000, () => run?.stop());
        at(30_000, () => undefined);
      });
      expect(letters.map(({ offset, code: of, attempt }) => [offset, of, attempt])).toEqual([[4, code, 1]]);
      expect(copied(kafka)).toEqual(numbers(10).filter((n) => n !== 4));
      expect([run?.ended, kafka.committed('copier', 'chat', 0)]).toEqual(['complete', 10]);
      expect(run?.metric('rxflume_sink_failures_total')).toBe(1);
    },
  );
});
