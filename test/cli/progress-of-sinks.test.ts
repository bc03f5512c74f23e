import { describe, expect, it } from '@jest/globals';
import { mergeMap, of, takeUntil, timer } from 'rxjs';
import { mapValue, transmit } from '../../operators/index.js';
import type { ConsoleLog } from '../../src/cli/console-log.js';
import { ProgressReader, progressLine } from '../../src/cli/progress.js';
import { run } from '../../src/cli/run.js';
import { Monitor } from '../../src/core/monitor.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Source } from '../../src/delivery/source.js';
import { type Flow, flow } from '../../src/flow/flow.js';
import { text } from '../../src/formats/text.js';
import {
  amqpSink,
  amqpSource,
  amqpStreamSource,
  consoleSink,
  fileSink,
  flumeSink,
  flumeSource,
  httpSink,
  kafkaSink,
  kafkaSource,
  nullSink,
} from '../../src/index.js';
import type { FlumeBatch } from '../../src/ports/flume-rpc.js';
import { MemoryAmqp, MemoryFlume, MemoryHttp, MemoryKafka, memoryFileSystem } from '../../src/testing/index.js';
import { inVirtualTime } from '../support/virtual-time.js';

/** Five values of five bytes, at the end of their topic. */
function fromKafka(monitor: Monitor, kafka = new MemoryKafka()): Source<Delivery<unknown>> {
  kafka.createTopic('chat', 1);
  kafka.createTopic('copy', 1);
  kafka.produce('chat', 0, ['11111', '22222', '33333', '44444', '55555']);
  return kafkaSource(kafka, { topics: ['chat'], groupId: 'g', monitor });
}

function fromQueue(monitor: Monitor, kind: 'classic' | 'stream'): Source<Delivery<unknown>> {
  const broker = new MemoryAmqp();
  broker.createQueue('chat', kind);
  broker.send('chat', ['11111', '22222', '33333', '44444', '55555']);
  const options = { queues: ['chat'], monitor };
  return kind === 'stream' ? amqpStreamSource(broker, options) : amqpSource(broker, options);
}

/** A server to which a client sends five events. */
function fromAgents(monitor: Monitor): Source<Delivery<unknown>> {
  const agents = new MemoryFlume();
  const events = ['11111', '22222', '33333', '44444', '55555'].map((text) => ({
    headers: {},
    body: Buffer.from(text),
  }));
  timer(5)
    .pipe(
      mergeMap(() => agents.connect(0)),
      mergeMap((client) => client.append(events)),
      takeUntil(timer(4_000)),
    )
    .subscribe();
  return flumeSource(agents.server(), { name: 'agents', monitor });
}

/** Agents that store every batch. */
function storing(): MemoryFlume {
  const agents = new MemoryFlume();
  const handler = {
    batch: ({ reply }: FlumeBatch) => reply('OK'),
    clients: () => undefined,
    logEvent: () => undefined,
  };
  agents
    .server()
    .listen(handler as never)
    .subscribe();
  return agents;
}

const asText = mapValue((value: unknown) => String(value));
const KAFKA = 'chat  R/s  5 in  0 in flight  5 committed  backlog 0';
const OTHERS = 'chat  R/s  5 in  0 in flight  5 settled';

const FLOWS: readonly [string, (monitor: Monitor) => Flow<unknown>, string][] = [
  [
    'files',
    (monitor) =>
      flow(
        'chat',
        fromKafka(monitor),
        asText,
        fileSink<string>(memoryFileSystem(), {
          root: '/lake',
          format: text(),
          roll: { intervalMs: 100 },
          monitor,
        }).write(),
      ),
    `${KAFKA}  1 files (0 open)  30 B`,
  ],
  [
    'Kafka',
    (monitor) => {
      const kafka = new MemoryKafka();
      const source = fromKafka(monitor, kafka);
      return flow('chat', source, asText, kafkaSink<string>(kafka, { topic: 'copy', monitor }).write());
    },
    `${KAFKA}  25 B`,
  ],
  [
    'RabbitMQ',
    (monitor) => {
      const broker = new MemoryAmqp();
      broker.createQueue('q');
      return flow('chat', fromKafka(monitor), asText, amqpSink<string>(broker, { routingKey: 'q', monitor }).write());
    },
    `${KAFKA}  25 B`,
  ],
  [
    'HTTP',
    (monitor) =>
      flow(
        'chat',
        fromKafka(monitor),
        asText,
        httpSink<string>(new MemoryHttp(), { url: 'http://store/', monitor }).write(),
      ),
    `${KAFKA}  40 B`,
  ],
  [
    'Flume',
    (monitor) =>
      flow(
        'chat',
        fromKafka(monitor),
        mapValue((value) => ({ headers: {}, body: Buffer.from(String(value)) })),
        flumeSink(storing(), { monitor }).write(),
      ),
    `${KAFKA}  25 B`,
  ],
  [
    'the console',
    (monitor) =>
      flow(
        'chat',
        fromKafka(monitor),
        asText,
        consoleSink<string>({ name: 'test', write: () => [] }, { monitor }).write(),
      ),
    `${KAFKA}  40 B`,
  ],
  ['nothing', (monitor) => flow('chat', fromKafka(monitor), nullSink({ monitor }).write()), `${KAFKA}  25 B`],
  [
    'a function of its own',
    (monitor) =>
      flow(
        'chat',
        fromKafka(monitor),
        transmit((value: unknown) => of(value)),
      ),
    KAFKA,
  ],
  [
    'nothing, from a queue',
    (monitor) => flow('chat', fromQueue(monitor, 'classic'), nullSink({ monitor }).write()),
    `${OTHERS}  25 B`,
  ],
  [
    'nothing, from a stream of RabbitMQ',
    (monitor) => flow('chat', fromQueue(monitor, 'stream'), nullSink({ monitor }).write()),
    `${OTHERS}  25 B`,
  ],
  [
    'nothing, from agents of Flume',
    (monitor) => flow('chat', fromAgents(monitor), nullSink({ monitor }).write()),
    // The events that wait in the source.
    `${OTHERS}  backlog 0  25 B`,
  ],
];

describe('the progress of a flow into', () => {
  it.each(FLOWS)('%s', (_, build, expected) => {
    const monitor = new Monitor();
    let summary = '';
    let line = '';
    const log: ConsoleLog = {
      say: (_level, what, message) => {
        if (what === 'summary') summary = message;
      },
      progress: () => undefined,
      progressEveryMs: 60_000,
      columns: 200,
    };
    inVirtualTime((at) => {
      const running = run(build(monitor), log, { untilIdleMs: null, drainTimeoutMs: 5_000, monitor });
      at(5_000, () => {
        line = progressLine('chat', new ProgressReader(monitor, 0).read(5_000), 200);
        running.stop('enough');
      });
    });
    expect(line.replace(/ [\d,.]+\/s/, ' R/s')).toBe(expected);
    const files = expected.includes('files') ? ', 1 files' : '';
    const committed = expected.includes('committed') ? ', 5 committed' : '';
    const bytes = /(\d+) B$/.exec(expected);
    expect(summary.replace(/after .*? s/, 'after S s').replace(/\(\d+\/s\)/, '(R/s)')).toBe(
      `chat drained after S s: 5 records in (R/s), 5 settled${committed}${files}${bytes ? `, ${bytes[1]} bytes out` : ''}.`,
    );
  });
});
