import { EMPTY, NEVER, type ObservableInput } from 'rxjs';
import { Monitor } from '../../src/core/monitor.js';
import type { Sink } from '../../src/delivery/receipt.js';
import { jsonLines } from '../../src/formats/json-lines.js';
import type { FlumeBatch } from '../../src/ports/flume-rpc.js';
import { amqpSink } from '../../src/sinks/amqp/amqp-sink.js';
import { consoleSink } from '../../src/sinks/console/console-sink.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import { flumeSink } from '../../src/sinks/flume/flume-sink.js';
import { httpSink } from '../../src/sinks/http/http-sink.js';
import { kafkaSink } from '../../src/sinks/kafka/kafka-sink.js';
import { nullSink } from '../../src/sinks/null/null-sink.js';
import { MemoryAmqp, MemoryFlume, MemoryHttp, MemoryKafka, memoryFileSystem } from '../../src/testing/index.js';

/** A sink over a store in memory. */
export interface MemorySink {
  /** Over a store that works. */
  readonly sink: () => Sink<unknown>;
  /** Over one that never answers: it is not there, or silent. */
  readonly unanswered: () => Sink<unknown>;
  /** The nth value. */
  readonly value: (n: number) => unknown;
  /** A value that cannot be written; none where all can. */
  readonly bad?: unknown;
}

const monitor = new Monitor();
const text = (n: number) => `v${n}`;
const used = (sink: Sink<never>) => sink as Sink<unknown>;

function amqp(...queues: string[]) {
  const broker = new MemoryAmqp();
  for (const queue of queues) broker.createQueue(queue);
  if (queues.length === 0) broker.isDown = true;
  return used(amqpSink<string>(broker, { routingKey: 'q', monitor }).write());
}

function kafka(...topics: string[]) {
  const broker = new MemoryKafka({ latencyMs: topics.length === 0 ? 1e9 : 1 });
  for (const topic of topics) broker.createTopic(topic, 2);
  return used(kafkaSink<string>(broker, { topic: 'copy', monitor }).write());
}

function http(isSilent: boolean) {
  const server = new MemoryHttp();
  if (isSilent) server.answer = () => 'silence';
  return used(httpSink<string>(server, { url: 'http://store/', monitor }).write());
}

function flume(batch: (batch: FlumeBatch) => void) {
  const agents = new MemoryFlume({ agents: ['a1'] });
  agents
    .server()
    .listen({ batch, clients: () => undefined, logEvent: () => undefined })
    .subscribe();
  return used(flumeSink(agents, { monitor }).write());
}

const files = (latencyMs: number) =>
  used(
    fileSink<string>(memoryFileSystem({ latencyMs }), {
      root: '/lake',
      format: jsonLines(),
      chunk: { maxWaitMs: 10 },
      monitor,
    }).write(),
  );

const lines = (write: () => ObservableInput<unknown>) =>
  used(consoleSink<string>({ name: 'test', write }, { encode: 'json', monitor }).write());

/** Every sink, by name: what is asked of one is asked of all. */
export const MEMORY_SINKS: Readonly<Record<string, MemorySink>> = {
  amqpSink: { sink: () => amqp('q'), unanswered: () => amqp(), value: text, bad: 7 },
  consoleSink: { sink: () => lines(() => EMPTY), unanswered: () => lines(() => NEVER), value: text, bad: undefined },
  fileSink: { sink: () => files(1), unanswered: () => files(1e9), value: text, bad: undefined },
  flumeSink: {
    sink: () => flume(({ reply }) => reply('OK')),
    unanswered: () => flume(() => undefined),
    value: (n) => ({ headers: {}, body: Buffer.from(text(n)) }),
    bad: { body: 'text' },
  },
  httpSink: { sink: () => http(false), unanswered: () => http(true), value: text, bad: undefined },
  kafkaSink: { sink: () => kafka('copy'), unanswered: () => kafka(), value: text, bad: {} },
  nullSink: {
    sink: () => used(nullSink({ monitor }).write()),
    unanswered: () => used(nullSink({ monitor }).write()),
    value: text,
  },
};
