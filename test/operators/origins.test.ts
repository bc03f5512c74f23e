import { describe, expect, it } from '@jest/globals';
import {
  defer,
  EMPTY,
  from,
  ignoreElements,
  merge,
  type Observable,
  type OperatorFunction,
  of,
  Subject,
  tap,
  timer,
} from 'rxjs';
import * as all from '../../operators/index.js';
import {
  aggregateByKey,
  balance,
  batch,
  deadLetter,
  decode,
  dedupeBy,
  failover,
  filterValue,
  inFlightWindow,
  mapValue,
  mapValueAsync,
  rateLimit,
  retryWrite,
  routeBy,
  splitValue,
  tee,
  timeoutUnsettled,
  transmit,
  trusted,
} from '../../operators/index.js';
import { Monitor } from '../../src/core/monitor.js';
import { Delivery, type Origin } from '../../src/delivery/delivery.js';
import type { Receipt } from '../../src/delivery/receipt.js';
import { jsonLines } from '../../src/formats/json-lines.js';
import { isAmqpOrigin } from '../../src/ports/amqp-consumer.js';
import { amqpSink } from '../../src/sinks/amqp/amqp-sink.js';
import { consoleSink } from '../../src/sinks/console/console-sink.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import { flumeSink } from '../../src/sinks/flume/flume-sink.js';
import { httpSink } from '../../src/sinks/http/http-sink.js';
import { kafkaSink } from '../../src/sinks/kafka/kafka-sink.js';
import { nullSink } from '../../src/sinks/null/null-sink.js';
import { MemoryAmqp } from '../../src/testing/memory/memory-amqp.js';
import { memoryFileSystem } from '../../src/testing/memory/memory-file-system.js';
import { MemoryFlume } from '../../src/testing/memory/memory-flume.js';
import { MemoryHttp } from '../../src/testing/memory/memory-http.js';
import { MemoryKafka } from '../../src/testing/memory/memory-kafka.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { DRIVER_ORIGINS, deliveriesOf, factsIn } from '../support/driver-origins.js';
import { inVirtualTime } from '../support/virtual-time.js';

type Deliveries = Observable<Delivery<unknown>>;
type Through = OperatorFunction<Delivery<unknown>, Delivery<unknown>>;

const monitor = new Monitor();
const asText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

/** Each operator with one way on: what it gives, or what its branches are given, or what is nacked behind it. */
const OPERATORS: Readonly<Record<string, Through>> = {
  aggregateByKey: aggregateByKey((value) => value, { windowMs: 5, initial: () => 0, add: (sum) => sum + 1 }),
  'aggregateByKey, windows that overlap': aggregateByKey(() => 'all', {
    windowMs: 6,
    slideMs: 2,
    initial: () => 0,
    add: (sum) => sum + 1,
  }),
  balance: branched((branch) => balance([branch, branch])),
  batch: batch({ count: 2 }),
  'batch of one': batch({ count: 1 }),
  'batch, then splitValue': (source) =>
    source.pipe(
      batch({ count: 2 }),
      splitValue<unknown[], unknown>((values) => values),
    ),
  deadLetter: (source) => {
    const letters$ = new Subject<Delivery<unknown>>();
    const letters = (given: Deliveries) =>
      given.pipe(
        tap((letter) => letters$.next(letter)),
        ignoreElements(),
      );
    const nackedAll$ = source.pipe(
      deadLetter(letters),
      tap((delivery) => delivery.nack(new TypeError('not this one'))),
      ignoreElements(),
    );
    return merge(letters$, nackedAll$);
  },
  decode: decode((value: unknown) => value),
  dedupeBy: dedupeBy((value) => value, { windowMs: 10 }),
  failover: branched((branch) => failover([nacking, branch], { when: () => true, failures: 99 })),
  filterValue: filterValue(() => true),
  inFlightWindow: inFlightWindow({ count: 10 }),
  mapValue: mapValue((value) => value),
  mapValueAsync: mapValueAsync((value) => of(value)),
  rateLimit: rateLimit({ count: 10, perMs: 1 }),
  retryWrite: written((write) => transmit(retryWrite(write))),
  routeBy: branched((branch) => routeBy(() => 'one', { one: branch })),
  splitValue: splitValue((value) => [`${asText(value)}/a`, `${asText(value)}/b`]),
  'splitValue twice': (source) => source.pipe(twice(), twice()),
  tee: branched((branch) => tee({ branch, other: acking })),
  'tee, not required': branched((branch) => tee({ other: acking, branch }, { required: ['other'] })),
  timeoutUnsettled: timeoutUnsettled({ name: 'sink', afterMs: 1_000 }),
  transmit: written((write) => transmit(write)),
  trusted: trusted(tap(() => undefined)),
};

/** Of sources, not of deliveries. */
const OF_SOURCES = ['drainOn', 'mergeSources', 'retryConnect'];

function twice(): Through {
  return splitValue((value) => [value, value]);
}

function acking(source: Deliveries): Observable<never> {
  return source.pipe(
    tap((delivery) => delivery.ack()),
    ignoreElements(),
  );
}

function nacking(source: Deliveries): Observable<never> {
  return source.pipe(
    tap((delivery) => delivery.nack(new Error('full'))),
    ignoreElements(),
  );
}

/** What the branch of an operator is given: the branch emits it. */
function branched(operator: (branch: (source: Deliveries) => Deliveries) => unknown): Through {
  return operator((given) => given) as Through;
}

/** What a write is called with. */
function written(
  operator: (write: (value: unknown, delivery: Delivery<unknown>) => Observable<unknown>) => unknown,
): Through {
  return (source) => source.pipe(operator((_, delivery) => of(delivery)) as Through);
}

function outOf(through: Through, origins: readonly Origin[]): Delivery<unknown>[] {
  const out: Delivery<unknown>[] = [];
  inVirtualTime((at) => {
    const running = from(deliveriesOf(origins))
      .pipe(through)
      .subscribe((one) => {
        if (one instanceof Delivery) out.push(one);
      });
    at(1_000, () => running.unsubscribe());
  });
  return out;
}

describe('the origin of what an operator gives', () => {
  it('is tried of every operator', () => {
    const operators = Object.entries(all).filter(([, one]) => typeof one === 'function');
    const tried = Object.keys(OPERATORS);
    expect(operators.map(([name]) => name).filter((name) => !tried.includes(name))).toEqual(OF_SOURCES);
  });

  describe.each(Object.entries(DRIVER_ORIGINS))('of %s', (_, make) => {
    it.each(Object.entries(OPERATORS))('says behind %s all that its source said', (name, through) => {
      const given = make();
      const out = outOf(through, given);
      expect(out.length).toBeGreaterThan(0);
      const known = new Map(given.map((origin) => [`${origin.stream}@${origin.offset}`, factsIn(origin)]));
      for (const { origin } of out) {
        const facts = known.get(`${origin.stream}@${origin.offset}`);
        // A letter's time is that of setting it aside.
        expect(factsIn(origin)).toEqual(name === 'deadLetter' ? { ...facts, timestamp: expect.any(Number) } : facts);
        expect(origin.byteLength).toBeGreaterThan(0);
        expect(isAmqpOrigin(origin)).toBe(origin.stream.startsWith('amqp:'));
      }
      expect(new Set(out.map(({ origin }) => origin.stream)).size).toBe(2);
    });
  });
});

interface Seen {
  readonly receipts: readonly Receipt[];
  /** What the destination holds, or was told. */
  readonly texts: readonly string[];
}

type SinkRun = (
  deliveries: Observable<Delivery<string>>,
  seen: (of: () => readonly string[]) => void,
) => Observable<Receipt>;

/** Each sink over its port in memory, with what it took from the origins written out. */
const SINKS: Readonly<Record<string, SinkRun>> = {
  files: (deliveries, seen) => {
    const fs = memoryFileSystem();
    const lake = fileSink<string>(fs, {
      root: '/lake',
      format: jsonLines(),
      path: (_, { origin }, at) => `${named(origin)}/${at().getTime()}`,
      roll: { intervalMs: 20 },
      chunk: { maxWaitMs: 1 },
      monitor,
    });
    const paths: string[] = [];
    seen(() => paths);
    return lake
      .write()(deliveries)
      .pipe(tap(({ target }) => paths.push(target)));
  },
  kafka: (deliveries, seen) => {
    const kafka = new MemoryKafka();
    kafka.createTopic('copy', 1);
    seen(() =>
      kafka
        .read('copy')
        .map(({ key, headers, timestamp }) => [String(key ?? ''), String(headers.h ?? ''), timestamp].join(' ')),
    );
    return kafkaSink<string>(kafka, { topic: 'copy', monitor }).write()(deliveries);
  },
  amqp: (deliveries, seen) => {
    const amqp = new MemoryAmqp();
    amqp.createQueue('q');
    const ids: string[] = [];
    seen(() => ids);
    const sink = amqpSink<string>(amqp, {
      routingKey: (_, { origin }) => {
        ids.push(`${origin.stream} ${origin.timestamp}`);
        return 'q';
      },
      monitor,
    });
    return sink.write()(deliveries);
  },
  flume: (deliveries, seen) => {
    const flume = new MemoryFlume();
    flume
      .server()
      .listen({ batch: (one) => one.reply('OK'), clients: () => {}, logEvent: () => {} })
      .subscribe();
    seen(() => []);
    const events = mapValue((value: string) => ({ headers: {}, body: Buffer.from(value) }));
    return deliveries.pipe(events, flumeSink(flume, { monitor }).write());
  },
  http: (deliveries, seen) => {
    const http = new MemoryHttp();
    seen(() => http.seen.map(({ headers }) => String(headers['Idempotency-Key'] ?? headers['idempotency-key'])));
    return httpSink<string>(http, { url: 'http://store/in', monitor }).write()(deliveries);
  },
  console: (deliveries, seen) => {
    const written: string[] = [];
    seen(() => written);
    const output = {
      name: 'test',
      write: (text: string) => {
        written.push(...text.trim().split('\n'));
        return EMPTY;
      },
    };
    return consoleSink<string>(output, { encode: (_, { origin }) => named(origin), monitor }).write()(deliveries);
  },
  null: (deliveries, seen) => {
    seen(() => []);
    return nullSink({ monitor }).write()(deliveries);
  },
};

/** Text without what no bucket and no header may have. */
const named = ({ stream, key }: Origin) =>
  `${stream}+${key == null ? '' : Buffer.from(key).toString()}`.replaceAll(/[/:]/g, '.');

function stored(
  sink: SinkRun,
  through: Through,
  origins: readonly Origin[],
): Seen & { readonly deliveries: Delivery<string>[] } {
  const receipts: Receipt[] = [];
  let texts: () => readonly string[] = () => [];
  const deliveries = deliveriesOf(origins);
  inVirtualTime((at) => {
    const toText = mapValue(asText) as OperatorFunction<Delivery<unknown>, Delivery<string>>;
    const running = sink(from(deliveries).pipe(through, toText), (of) => {
      texts = of;
    }).subscribe((receipt) => receipts.push(receipt));
    at(3_000, () => running.unsubscribe());
  });
  return { receipts, texts: texts(), deliveries };
}

/** Those that give deliveries, with what came of each. */
const BEFORE_SINKS = Object.entries(OPERATORS).filter(
  ([name]) =>
    !['balance', 'deadLetter', 'failover', 'retryWrite', 'routeBy', 'transmit'].includes(name) &&
    !name.startsWith('tee'),
);

describe.each(Object.entries(SINKS))('the %s sink', (name, sink) => {
  describe.each(BEFORE_SINKS)('behind %s', (operator, through) => {
    it.each(Object.entries(DRIVER_ORIGINS))('knows where the values of %s come from', (_, make) => {
      const given = make();
      const { receipts, texts, deliveries } = stored(sink, through, given);
      const streams = [...new Set(given.map(({ stream }) => stream))];
      expect([...new Set(receipts.map(({ stream }) => stream))].sort()).toEqual(streams.sort());
      for (const { firstOffset, lastOffset } of receipts) {
        expect([Number.isSafeInteger(firstOffset), lastOffset >= firstOffset]).toEqual([true, true]);
      }
      for (const { acker } of deliveries) expect((acker as unknown as { unsettled: string[] }).unsettled).toEqual([]);
      // Of an aggregate over all, one origin stands for all.
      const expected = operator.includes('batch') || operator.includes('overlap') ? firstOfEach(given) : given;
      for (const origin of expected) expect(texts).toEqual(textsOf(name, origin));
    });
  });
});

function firstOfEach(origins: readonly Origin[]): Origin[] {
  return [...new Map([...origins].reverse().map((origin) => [origin.stream, origin])).values()];
}

/** What is to be found of an origin in what the destination holds. */
function textsOf(sink: string, origin: Origin): unknown {
  const { stream, timestamp, key, headers } = origin;
  const header = headers?.h === undefined ? '' : String(headers.h);
  const text = key == null ? '' : Buffer.from(key).toString();
  switch (sink) {
    case 'files':
      return expect.arrayContaining([expect.stringContaining(`${named(origin)}/${timestamp}/`)]);
    case 'kafka':
      return expect.arrayContaining([`${text} ${header} ${timestamp}`]);
    case 'amqp':
      return expect.arrayContaining([`${stream} ${timestamp}`]);
    case 'http':
      return expect.arrayContaining([expect.stringContaining(`"${stream}+`)]);
    case 'console':
      return expect.arrayContaining([named(origin)]);
    default:
      return expect.anything();
  }
}
describe('what is distinguished behind an operator', () => {
  const names = (through: Through, givens: readonly (readonly Origin[])[]) =>
    givens.flatMap((origins) => stored(SINKS.http as SinkRun, through, origins).texts);
  const [p05, p06, p15, p16] = (DRIVER_ORIGINS['kafkajs, read here'] as () => Origin[])() as [
    Origin,
    Origin,
    Origin,
    Origin,
  ];

  it.each(BEFORE_SINKS)('gives requests that differ different names behind %s', (_, through) => {
    const all = names(through, [[p05], [p06], [p15, p16]]);
    expect(new Set(all).size).toBe(all.length);
  });

  it('gives batches of several streams other names where they hold other values', () => {
    const together = batch<unknown>({ count: 2 }) as Through;
    const all = names(together, [[p05], [p05, p06], [p05, p15], [p05, p16]]);
    expect(new Set(all).size).toBe(4);
  });

  it.each(
    Object.entries({ splitValue: splitValue((value) => [value]) as Through, batch: batch({ count: 1 }) as Through }),
  )('keeps the order of a key behind %s', (_, through) => {
    let most = 0;
    inVirtualTime(() => {
      let underWay = 0;
      const write = () =>
        defer(() => {
          underWay += 1;
          most = Math.max(most, underWay);
          return timer(5).pipe(
            tap(() => {
              underWay -= 1;
            }),
          );
        });
      const acker = new RecordingAcker();
      const ofOneKey = ['a', 'b', 'c'].map((value) => acker.deliver(value, { key: Buffer.from('one') }).origin);
      from(deliveriesOf(ofOneKey))
        .pipe(through, transmit(write, { order: 'key' }))
        .subscribe();
    });
    expect(most).toBe(1);
  });
});
