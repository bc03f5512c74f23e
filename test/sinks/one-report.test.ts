import { describe, expect, it } from '@jest/globals';
import { throwError } from 'rxjs';
import { mapValue } from '../../operators/index.js';
import { consoleLog } from '../../src/cli/console-log.js';
import { run } from '../../src/cli/run.js';
import { SinkError } from '../../src/core/errors.js';
import { Monitor } from '../../src/core/monitor.js';
import { flow } from '../../src/flow/flow.js';
import { text } from '../../src/formats/text.js';
import {
  amqpSink,
  consoleSink,
  fileSink,
  flumeSink,
  httpSink,
  kafkaSink,
  kafkaSource,
  type Sink,
} from '../../src/index.js';
import type { FlumeBatch } from '../../src/ports/flume-rpc.js';
import { MemoryAmqp, MemoryFlume, MemoryHttp, MemoryKafka, memoryFileSystem } from '../../src/testing/index.js';
import { inVirtualTime } from '../support/virtual-time.js';

interface Line {
  readonly level: string;
  readonly what: string;
  readonly message: string;
}

interface Failing {
  /** A sink that fails with `reason` so often, and works then. */
  sink(times: number, monitor: Monitor, kafka: MemoryKafka): Sink<string>;
  /** What is in the one line that tells of it: on which thing, and why. */
  readonly says: readonly string[];
}

const full = () => new SinkError('RXF_FILES_FULL', 'No room for /lake/f: the disk is full. Make room.');
const backoff = { firstDelayMs: 10, jitter: 0 };

function onFullDisk(verb: 'rename' | 'write'): Failing {
  return {
    sink: (times, monitor) => {
      const fs = memoryFileSystem({ latencyMs: 1 });
      for (let n = 0; n < times; n += 1) fs.failNext(verb, full());
      return fileSink<string>(fs, { root: '/lake', format: text(), roll: { intervalMs: 50 }, monitor }).write();
    },
    says: ['kafka:chat/0', '/lake/f', 'the disk is full', 'Make room'],
  };
}

const SINKS: Readonly<Record<string, Failing>> = {
  'files, a write': onFullDisk('write'),
  'files, a rename': onFullDisk('rename'),
  kafka: {
    sink: (times, monitor, kafka) => {
      let failed = 0;
      kafka.fate = ({ verb }) => {
        if (verb !== 'send' || failed >= times) return 'ok';
        failed += 1;
        return 'fail';
      };
      return kafkaSink<string>(kafka, { topic: 'copy', monitor, batch: { maxWaitMs: 5 } }).write();
    },
    says: ['RXF_KAFKA_SEND'],
  },
  http: {
    sink: (times, monitor) => {
      const http = new MemoryHttp();
      http.answer = (_, n) => (n < times * 3 ? { status: 503, body: 'no room here' } : 200);
      const retry = { ...backoff, maxAttempts: 3, maxDelayMs: 20 };
      return httpSink<string>(http, { url: 'http://store/chat', monitor, batch: { maxWaitMs: 5 }, retry }).write();
    },
    says: ['http://store/chat', '503', 'no room here'],
  },
  rabbitmq: {
    sink: (times, monitor) => {
      const amqp = new MemoryAmqp();
      amqp.createQueue('q');
      for (let n = 0; n < times * 5; n += 1) amqp.answers.push('rejected');
      return amqpSink<string>(amqp, { routingKey: 'q', monitor, reconnect: backoff }).write();
    },
    says: ['RXF_AMQP_REJECTED', 'routing key `q`', 'Its queue is full'],
  },
  flume: {
    sink: (times, monitor) => {
      const agents = new MemoryFlume();
      let failed = 0;
      agents
        .server()
        .listen({
          batch: ({ reply }: FlumeBatch) => {
            failed += 1;
            reply(failed <= times ? 'FAILED' : 'OK');
          },
          clients: () => undefined,
          logEvent: () => undefined,
        } as never)
        .subscribe();
      const retry = { ...backoff, maxDelayMs: 20 };
      const target = flumeSink(agents, { monitor, batch: { count: 1 }, retry });
      return (deliveries) =>
        deliveries.pipe(
          mapValue((value: string) => ({ headers: {}, body: Buffer.from(value) })),
          target.write(),
        );
    },
    says: ['kafka:chat/0', 'a1:4141', 'FAILED', 'see its log'],
  },
  console: {
    sink: (times, monitor) => {
      let failed = 0;
      const output = {
        name: 'stdout',
        write: () => {
          failed += 1;
          if (failed > times) return [];
          return throwError(() => new SinkError('RXF_SINK_WRITE', 'stdout has no room.'));
        },
      };
      return consoleSink<string>(output, { monitor }).write();
    },
    says: ['stdout has no room'],
  },
};

/** Five records of a topic into a sink that fails so often, as `rxflume run` logs it. */
function logOf({ sink }: Failing, times: number, maxAttempts = 10): { lines: Line[]; monitor: Monitor } {
  const lines: Line[] = [];
  const monitor = new Monitor();
  inVirtualTime((at) => {
    const kafka = new MemoryKafka();
    kafka.createTopic('chat', 1);
    kafka.createTopic('copy', 1);
    kafka.produce('chat', 0, ['a', 'b', 'c', 'd', 'e']);
    const log = consoleLog({ write: (line) => lines.push(JSON.parse(line) as Line) }, () => new Date(0));
    const redeliver = { firstDelayMs: 100, maxDelayMs: 100, maxAttempts };
    const source = kafkaSource(kafka, { topics: ['chat'], groupId: 'g', redeliver, monitor });
    const copying = flow(
      'copying',
      source,
      mapValue((value) => String(value)),
      sink(times, monitor, kafka),
    );
    const running = run(copying, log, { untilIdleMs: null, drainTimeoutMs: 1_000, monitor });
    at(9_000, () => running.stop('enough'));
  });
  return { lines, monitor };
}

const grave = (lines: readonly Line[]) => lines.filter(({ level }) => level !== 'info');

describe.each(Object.entries(SINKS))('one failure of %s', (_, failing) => {
  it('is one line that says what failed, on which thing, and what to do; the source adds what it does', () => {
    const { lines, monitor } = logOf(failing, 1);
    expect(grave(lines)).toHaveLength(1);
    const [line] = grave(lines) as [Line];
    for (const part of failing.says) expect(`${line.what} ${line.message}`).toContain(part);
    expect(lines.filter(({ message }) => message.includes(line.message))).toHaveLength(1);
    expect(lines.filter(({ what }) => what === 'RXF_SOURCE_NACKED')).toEqual([
      expect.objectContaining({ level: 'info', message: expect.stringContaining(`because of ${line.what}.`) }),
    ]);
    expect(lines.at(-1)?.message).toContain('copying drained');
    expect(monitor.total('rxflume_sink_values_total')).toBe(5);
  });

  it('that stays is one line in 10 s, however often it is tried, and the end refers to it', () => {
    const { lines } = logOf(failing, 1_000, 8);
    const [line] = grave(lines) as [Line];
    for (const part of failing.says) expect(`${line.what} ${line.message}`).toContain(part);
    expect(grave(lines).map(({ level, what }) => `${level} ${what}`)).toEqual([
      `warn ${line.what}`,
      'error RXF_SOURCE_NACKED',
    ]);
    expect(grave(lines)[1]?.message).toContain(`after 9 attempts: ${line.what}, as reported before.`);
    expect(lines.filter(({ what }) => what === 'RXF_SOURCE_NACKED').length).toBe(2);
  });
});
