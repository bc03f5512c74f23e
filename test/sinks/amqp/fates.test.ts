import { describe, expect, it } from '@jest/globals';
import { Observable, timer } from 'rxjs';
import { deadLetter, failover, mapValue } from '../../../operators/index.js';
import type { ErrorCode } from '../../../src/core/error-codes.js';
import { RxflumeError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import type { DeadLetter } from '../../../src/delivery/dead-letter.js';
import type { Delivery } from '../../../src/delivery/delivery.js';
import type { Sink } from '../../../src/delivery/receipt.js';
import { rejected } from '../../../src/drivers/amqplib/unconfirmed.js';
import type { AmqpPublisherDriver } from '../../../src/ports/amqp-publisher.js';
import { amqpSink } from '../../../src/sinks/amqp/amqp-sink.js';
import { nullSink } from '../../../src/sinks/null/null-sink.js';
import { amqpSource } from '../../../src/sources/amqp/amqp-source.js';
import { kafkaSource } from '../../../src/sources/kafka/kafka-source.js';
import { MemoryAmqp, MemoryKafka } from '../../../src/testing/index.js';
import { inVirtualTime } from '../../support/virtual-time.js';

/** A broker whose queue is full, as the driver tells of it. */
const fullQueue: AmqpPublisherDriver = {
  name: 'amqp mq1:5672/',
  open: () =>
    new Observable((subscriber) => {
      subscriber.next({
        publish: (message, settled) => void timer(1).subscribe(() => settled(rejected(message, new Error('nack')))),
        close: () => [],
      });
    }),
};

interface Seen {
  readonly said: string[];
  error: unknown;
  readonly letters: string[];
}

const toFullQueue = (monitor: Monitor): Sink<string> =>
  amqpSink<string>(fullQueue, { routingKey: 'q', monitor }).write();

/** Keeps the codes of letters. */
const keeping =
  (letters: string[], monitor: Monitor): Sink<DeadLetter> =>
  (deliveries) =>
    deliveries.pipe(
      mapValue((letter) => {
        letters.push(letter.code);
        return letter;
      }),
      nullSink({ monitor }).write(),
    );

function ofKafka(monitor: Monitor, maxAttempts: number): Observable<Delivery<string>> {
  const kafka = new MemoryKafka();
  kafka.createTopic('chat', 1);
  kafka.produce('chat', 0, ['a']);
  const redeliver = { firstDelayMs: 100, maxDelayMs: 100, maxAttempts };
  return kafkaSource(kafka, { topics: ['chat'], groupId: 'g', redeliver, monitor }).pipe(mapValue(String));
}

function ofQueue(monitor: Monitor): Observable<Delivery<string>> {
  const broker = new MemoryAmqp();
  broker.createQueue('in');
  broker.send('in', ['a']);
  return amqpSource(broker, { queues: ['in'], monitor }).pipe(mapValue(String));
}

type Build = (monitor: Monitor, seen: Seen) => Observable<unknown>;

/** What becomes of a value whose message the broker rejected, and what says so. */
const FATES: readonly [string, Build, RegExp, ErrorCode | null, string[]][] = [
  [
    'is redelivered by Kafka',
    (monitor) => ofKafka(monitor, 100).pipe(toFullQueue(monitor)),
    /kafka:chat\/0.* attempt 1 of 100.*because of RXF_AMQP_REJECTED/,
    null,
    [],
  ],
  [
    'ends the flow after the last attempt',
    (monitor) => ofKafka(monitor, 2).pipe(toFullQueue(monitor)),
    /RXF_SOURCE_NACKED/,
    'RXF_SOURCE_NACKED',
    [],
  ],
  [
    'is requeued',
    (monitor) => ofQueue(monitor).pipe(toFullQueue(monitor)),
    /in .*because of RXF_AMQP_REJECTED/,
    null,
    [],
  ],
  [
    'becomes a dead letter',
    (monitor, { letters }) =>
      ofKafka(monitor, 100).pipe(
        deadLetter<string>(keeping(letters, monitor), { when: () => true }),
        toFullQueue(monitor),
      ),
    /RXF_AMQP_REJECTED/,
    null,
    ['RXF_AMQP_REJECTED'],
  ],
  [
    'goes to another sink',
    (monitor) => ofKafka(monitor, 100).pipe(failover([toFullQueue(monitor), nullSink({ monitor }).write()])),
    /RXF_AMQP_REJECTED/,
    null,
    [],
  ],
];

describe('a message that the broker rejected', () => {
  it.each(FATES)('%s: the sink promises nothing, and who decides says it', (_, build, says, code, letters) => {
    const monitor = new Monitor();
    const seen: Seen = { said: [], error: null, letters: [] };
    monitor.logEvents$.subscribe(({ what, message }) => seen.said.push(`${what} ${message}`));
    inVirtualTime((at) => {
      const running = build(monitor, seen).subscribe({
        error: (error: unknown) => {
          seen.error = error;
        },
      });
      at(900, () => running.unsubscribe());
    });
    const causes = seen.said.filter((line) => line.startsWith('RXF_AMQP_REJECTED'));
    expect(causes.length).toBeGreaterThan(0);
    expect(causes[0]).toBe(
      "RXF_AMQP_REJECTED RabbitMQ rejected a message to the default exchange with the routing key 'q': a queue may be full, or " +
        'its leader unavailable. Make room, or raise the limits of the queue.',
    );
    expect([...seen.said, String(seen.error)].join('\n')).toMatch(says);
    expect(seen.error instanceof RxflumeError ? seen.error.code : null).toBe(code);
    expect(seen.letters).toEqual(letters);
  });
});
