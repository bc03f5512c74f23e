import { afterAll, expect, it, jest } from '@jest/globals';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { Kafka, logLevel } from 'kafkajs';
import { flow, kafkaSink, kafkaSource } from 'rxflume';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { traceDeliveries } from 'rxflume/opentelemetry';
import { drainOn } from 'rxflume/operators';
import { lastValueFrom, Subject } from 'rxjs';
import { brokers, createTopic, fresh, sleep } from './support.js';

jest.setTimeout(60_000);

const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
const stop$ = new Subject<void>();
let running: Promise<unknown> | undefined;
afterAll(async () => {
  stop$.next();
  await running;
});

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentOf = (n: number) => `00-${TRACE}-${(n + 1).toString(16).padStart(16, '0')}-01`;

it("links the spans of Kafka's records to the batches they are sent on in, and sends their context on", async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const [topic, copy] = [fresh('tracing'), fresh('traced')];
  await createTopic(topic, 2);
  await createTopic(copy, 1);
  const driver = kafkajs({ brokers });
  const producer = kafka.producer();
  await producer.connect();
  const messages = Array.from({ length: 500 }, (_, n) => ({
    partition: n % 2,
    value: String(n),
    // Every third has no trace, and every fifth a malformed one.
    headers:
      n % 3 === 0 ? {} : { traceparent: n % 5 === 0 ? parentOf(n).toUpperCase() : parentOf(n), tracestate: 'vendor=1' },
  }));
  await producer.send({ topic, messages });
  await producer.disconnect();

  const copying = flow(
    'tracing',
    kafkaSource(driver, { topics: [topic], groupId: topic }),
    traceDeliveries<Uint8Array | null>({ tracer: provider.getTracer('test') }),
    kafkaSink<Uint8Array | null>(driver, { topic: copy }).write(),
  );
  running = lastValueFrom(copying.pipe(drainOn(stop$)), { defaultValue: undefined });

  const consumer = kafka.consumer({ groupId: copy });
  const read = new Map<string, string | undefined>();
  await consumer.connect();
  await consumer.subscribe({ topic: copy, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      read.set(String(message.value), message.headers?.traceparent?.toString());
    },
  });
  const deadline = Date.now() + 45_000;
  while (read.size < 500 && Date.now() < deadline) await sleep(100);
  await consumer.disconnect();
  expect(read.size).toBe(500);
  for (const { value, headers } of messages) expect([value, read.get(value)]).toEqual([value, headers.traceparent]);

  await sleep(500);
  const spans = exporter.getFinishedSpans();
  const counted = spans.reduce((sum, { attributes }) => sum + Number(attributes['messaging.batch.message_count']), 0);
  expect(new Set(spans.map(({ name }) => name))).toEqual(new Set([`ack ${topic}`]));
  expect(spans.length).toBeLessThan(40);
  expect(counted).toBeLessThanOrEqual(500);
  const links = spans.flatMap((span) => span.links);
  expect(links.length).toBeGreaterThan(100);
  for (const span of spans) expect(span.links.length).toBeLessThanOrEqual(128);
  expect(links.length).toBeLessThanOrEqual(messages.filter((_, n) => n % 3 !== 0 && n % 5 !== 0).length);
  expect(links.every(({ context }) => context.traceId === TRACE && context.traceState?.get('vendor') === '1')).toBe(
    true,
  );
});
