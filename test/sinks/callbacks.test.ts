import { describe, expect, it } from '@jest/globals';
import { EMPTY, map } from 'rxjs';
import { RxflumeError } from '../../src/core/errors.js';
import { Monitor } from '../../src/core/monitor.js';
import { Delivery, type Origin } from '../../src/delivery/delivery.js';
import type { Sink } from '../../src/delivery/receipt.js';
import { flumeAvroFile } from '../../src/formats/flume-avro-file.js';
import type { FlumeEvent } from '../../src/formats/flume-event.js';
import type { Format } from '../../src/formats/format.js';
import { jsonLines } from '../../src/formats/json-lines.js';
import { amqpSink } from '../../src/sinks/amqp/amqp-sink.js';
import type { AmqpSinkOptions } from '../../src/sinks/amqp/options.js';
import { consoleSink } from '../../src/sinks/console/console-sink.js';
import type { ConsoleSinkOptions } from '../../src/sinks/console/options.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import type { FileSinkOptions } from '../../src/sinks/files/options.js';
import { flumeSink } from '../../src/sinks/flume/flume-sink.js';
import { httpSink } from '../../src/sinks/http/http-sink.js';
import type { HttpSinkOptions } from '../../src/sinks/http/options.js';
import { kafkaSink } from '../../src/sinks/kafka/kafka-sink.js';
import type { KafkaSinkOptions } from '../../src/sinks/kafka/options.js';
import { MemoryAmqp } from '../../src/testing/memory/memory-amqp.js';
import { memoryFileSystem } from '../../src/testing/memory/memory-file-system.js';
import { MemoryFlume } from '../../src/testing/memory/memory-flume.js';
import { MemoryHttp } from '../../src/testing/memory/memory-http.js';
import { MemoryKafka } from '../../src/testing/memory/memory-kafka.js';
import { SinkRun } from '../support/sink-run.js';
import { inVirtualTime } from '../support/virtual-time.js';

type Value = { readonly name: string };
/** Throws for the value `bad`. */
type Unless = <R>(answer: R) => (name: string) => R;

const monitor = new Monitor();

const files = (options: Partial<FileSinkOptions<Value>>): Sink<Value> =>
  fileSink<Value>(memoryFileSystem(), {
    root: '/lake',
    format: jsonLines(),
    roll: { intervalMs: 20 },
    chunk: { maxWaitMs: 1 },
    monitor,
    ...options,
  }).write();

const kafka = (options: Partial<KafkaSinkOptions<Value>>): Sink<Value> => {
  const broker = new MemoryKafka();
  broker.createTopic('copy', 1);
  return kafkaSink<Value>(broker, { topic: 'copy', encode: ({ name }) => name, monitor, ...options }).write();
};

const amqp = (options: Partial<AmqpSinkOptions<Value>>): Sink<Value> => {
  const broker = new MemoryAmqp();
  broker.createQueue('q');
  return amqpSink<Value>(broker, { routingKey: 'q', encode: ({ name }) => name, monitor, ...options }).write();
};

const http = (options: Partial<HttpSinkOptions<Value>>): Sink<Value> =>
  httpSink<Value>(new MemoryHttp(), { url: 'http://store/in', monitor, ...options }).write();

const lines = (options: ConsoleSinkOptions<Value>): Sink<Value> =>
  consoleSink<Value>({ name: 'test', write: () => EMPTY }, { monitor, ...options }).write();

/** A sink of events that are made of values. */
const events =
  (make: (value: Value) => FlumeEvent, sink: Sink<FlumeEvent>): Sink<Value> =>
  (deliveries) =>
    sink(deliveries.pipe(map((one) => one.with(make(one.value)))));

/** Each function that a sink is given for a value, and each getter that it reads, where it throws for one value. */
const CALLBACKS: Readonly<Record<string, (unless: Unless) => Sink<Value>>> = {
  'path of fileSink': (unless) => files({ path: (value) => unless('a')(value.name) }),
  'format of fileSink': (unless) =>
    files({
      format: {
        ...jsonLines(),
        encoder: () => {
          const inner = jsonLines().encoder();
          return {
            take: () => inner.take(),
            add: (value: Value) => {
              unless('')(value.name);
              return inner.add(value);
            },
          };
        },
      } as Format<Value>,
    }),
  'format of fileSink, a getter of the value': (unless) =>
    events(
      ({ name }) => withGetter({ body: Buffer.from(name) }, 'headers', () => unless({})(name)),
      files({ format: flumeAvroFile() as never }) as never,
    ),
  ...Object.fromEntries(
    (['topic', 'partition', 'key', 'encode', 'headers', 'timestamp'] as const).map((option) => {
      const answers = { topic: 'copy', partition: 0, key: 'k', encode: 'v', headers: {}, timestamp: 5 };
      const of = (unless: Unless) => kafka({ [option]: (value: Value) => unless(answers[option])(value.name) });
      return [`${option} of kafkaSink`, of];
    }),
  ),
  ...Object.fromEntries(
    (['routingKey', 'properties', 'encode'] as const).map((option) => {
      const answers = { routingKey: 'q', properties: {}, encode: 'v' };
      const of = (unless: Unless) => amqp({ [option]: (value: Value) => unless(answers[option])(value.name) });
      return [`${option} of amqpSink`, of];
    }),
  ),
  'url of httpSink': (unless) => http({ url: (value) => unless('http://store/in')(value.name) }),
  'key of httpSink': (unless) => http({ order: 'key', key: (value) => unless('k')(value.name) }),
  'body.encode of httpSink': (unless) =>
    http({ body: { contentType: 'text/plain', encode: ({ name }) => unless(name)(name) } }),
  'encode of consoleSink': (unless) => lines({ encode: ({ name }) => unless(name)(name) }),
  'event given to flumeSink': (unless) => {
    const flume = new MemoryFlume();
    flume
      .server()
      .listen({ batch: (one) => one.reply('OK'), clients: () => {}, logEvent: () => {} })
      .subscribe();
    return events(
      ({ name }) => withGetter({ body: Buffer.from(name) }, 'headers', () => unless({})(name)),
      flumeSink(flume, { monitor }).write(),
    );
  },
};

/** The getters of an origin, as those of real drivers' records are. */
const GETTERS: readonly [string, keyof Origin, () => Sink<Value>][] = [
  ['key of kafkaSink', 'key', () => kafka({})],
  ['headers of kafkaSink', 'headers', () => kafka({})],
  ['timestamp of kafkaSink', 'timestamp', () => kafka({})],
  ['properties of amqpSink', 'timestamp', () => amqp({})],
  ['key of httpSink', 'key', () => http({ order: 'key' })],
  ['path of fileSink', 'timestamp', () => files({ path: '{yyyy}' })],
];

const THROWN: Readonly<Record<string, () => unknown>> = {
  'an Error': () => new Error('boom'),
  'an Error with a code of another': () => Object.assign(new Error('boom'), { code: 'EACCES' }),
  'a text': () => 'boom',
  undefined: () => undefined,
  'an object without a prototype': () => Object.create(null),
  'an object whose getters throw': () =>
    withGetter({}, 'retryable', () => {
      throw new Error('again');
    }),
};

function withGetter(target: object, name: string, get: () => unknown): never {
  return Object.defineProperty(target, name, { get, enumerable: true }) as never;
}

type Change = (delivery: Delivery<Value>) => Delivery<Value>;

function run(sink: Sink<Value>, change: Change = (delivery) => delivery): SinkRun<Value> {
  let ran: SinkRun<Value> | undefined;
  inVirtualTime((at) => {
    const running = new SinkRun(sink, 'test:stream');
    ran = running;
    at(2, () => {
      for (const name of ['a', 'bad', 'c']) running.give(change(running.acker.deliver({ name }, {}, name)));
    });
    at(5_000, () => running.complete());
    at(20_000, () => undefined);
  });
  return ran as SinkRun<Value>;
}

function expectNacked({ acker, ended }: ReturnType<typeof run>, what: string, thrown: unknown): void {
  expect(ended).toBe('complete');
  expect([acker.nacks, acker.acks]).toEqual([['bad'], ['a', 'c']]);
  const cause = acker.causes.bad as RxflumeError;
  expect(cause).toBeInstanceOf(RxflumeError);
  expect(cause.message).toContain(`The ${what.split(',')[0]} threw for test:stream offset 1`);
  const code = what.startsWith('path') ? 'RXF_SINK_BUCKET' : 'RXF_SINK_FORMAT';
  expect([cause.code, cause.retryable]).toEqual([code, false]);
  expect(cause.cause).toBe(thrown);
}

describe('what a function of a sink throws', () => {
  describe.each(Object.entries(CALLBACKS))('%s', (name, make) => {
    it.each(Object.entries(THROWN))('nacks the one value by name, with a code: %s', (_, throws) => {
      const thrown = throws();
      const unless: Unless = (answer) => (given) => {
        if (given === 'bad') throw thrown;
        return answer;
      };
      expectNacked(run(make(unless)), name, thrown);
    });
  });

  it('may say itself that it passes', () => {
    const thrown = Object.assign(new Error('the registry is away'), { retryable: true });
    const { acker } = run(
      CALLBACKS['encode of kafkaSink']?.((answer) => (given) => {
        if (given === 'bad') throw thrown;
        return answer;
      }) as Sink<Value>,
    );
    expect(acker.causes.bad).toMatchObject({ code: 'RXF_SINK_FORMAT', retryable: true });
  });
});

describe('what a getter of an origin throws', () => {
  it.each(GETTERS)('nacks the one value by name, with a code: %s (%s)', (name, getter, make) => {
    const thrown = new Error('boom');
    const change: Change = (delivery) => {
      if (delivery.value.name !== 'bad') return delivery;
      const { stream, offset, epoch, byteLength } = delivery.origin;
      const origin = withGetter({ stream, offset, epoch, byteLength }, getter, () => {
        throw thrown;
      });
      return new Delivery(delivery.value, origin, delivery.acker, delivery.seq);
    };
    expectNacked(run(make(), change), name, thrown);
  });
});
