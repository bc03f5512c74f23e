import { describe, expect, it, jest } from '@jest/globals';
import { SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import fc from 'fast-check';
import { Subject } from 'rxjs';
import { drainOn, filterValue, mapValue, splitValue } from '../../operators/index.js';
import { Monitor } from '../../src/core/monitor.js';
import type { Delivery, Origin } from '../../src/delivery/delivery.js';
import { amqpSink, amqpSource, fileSink, flow, httpSink, kafkaSink, text } from '../../src/index.js';
import { traceDeliveries, traceHeaders } from '../../src/opentelemetry/index.js';
import { MemoryAmqp, MemoryHttp, MemoryKafka, memoryFileSystem, RecordingAcker } from '../../src/testing/index.js';
import { itKeepsTheEnds, itPassesOnTheAcker, itSettlesOnce } from '../support/operator-laws.js';
import { inVirtualTime } from '../support/virtual-time.js';

function tracing() {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const spans = () => exporter.getFinishedSpans();
  const briefly = () =>
    spans().map(({ name, links, attributes }) => [name, links.length, attributes['messaging.batch.message_count']]);
  return { tracer: provider.getTracer('test') as Tracer, spans, briefly };
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentOf = (n: number, flags = '01') => `00-${TRACE}-${n.toString(16).padStart(16, '0')}-${flags}`;
const headed = (traceparent: string, more: Origin['headerList'] = []): Partial<Origin> => ({
  headerList: [['traceparent', Buffer.from(traceparent)], ...more],
});

/** What the sink is given of `deliveries`. */
function traced(tracer: Tracer, deliveries$: Subject<Delivery<string>>): Delivery<string>[] {
  const seen: Delivery<string>[] = [];
  deliveries$.pipe(traceDeliveries<string>({ tracer })).subscribe((delivery) => seen.push(delivery));
  return seen;
}

describe('traceDeliveries', () => {
  itKeepsTheEnds(traceDeliveries({ tracer: tracing().tracer }));
  itPassesOnTheAcker(traceDeliveries({ tracer: tracing().tracer }));
  itSettlesOnce(() => traceDeliveries({ tracer: tracing().tracer }));

  it('makes one span of what a file sink stores together, with at most 128 links, though others are in between', () =>
    inVirtualTime((at) => {
      const { tracer, spans, briefly } = tracing();
      const deliveries$ = new Subject<Delivery<string>>();
      const lake = fileSink<string>(memoryFileSystem(), { root: '/lake', format: text(), monitor: new Monitor() });
      const every = filterValue<string>((value) => Number(value) % 2 === 0);
      deliveries$.pipe(every, traceDeliveries({ tracer }), lake.write()).subscribe();
      const [chat, clicks] = [new RecordingAcker('kafka:chat/3'), new RecordingAcker('kafka:clicks/0')];
      at(1_000, () => {
        for (let n = 0; n < 1_000; n += 1) deliveries$.next(chat.deliver(String(n), headed(parentOf(n + 1))));
        deliveries$.next(clicks.deliver('2', headed(parentOf(7), [['tracestate', Buffer.from('vendor=1')]])));
        deliveries$.next(clicks.deliver('4'));
        deliveries$.next(clicks.deliver('6', headed(parentOf(8, '00'))));
      });
      at(50_000, () => expect(briefly()).toEqual([]));
      at(60_000, () => chat.flush$.next('settle'));
      at(61_000, () => expect(briefly()).toEqual([['ack chat', 128, 500]]));
      at(62_000, () => deliveries$.complete());
      at(63_000, () => {
        expect(briefly()).toEqual([
          ['ack chat', 128, 500],
          ['ack clicks', 1, 3],
        ]);
        const [first, second] = spans();
        expect([first?.startTime, first?.endTime]).toEqual([
          [1, 0],
          [60, 0],
        ]);
        expect(first?.parentSpanContext).toBeUndefined();
        expect(first?.attributes).toMatchObject({
          'messaging.system': 'kafka',
          'messaging.destination.name': 'chat',
          'messaging.destination.partition.id': '3',
          'messaging.operation.type': 'settle',
          'messaging.operation.name': 'ack',
          'rxflume.stream': 'kafka:chat/3',
        });
        expect(first?.links[0]?.context).toMatchObject({ traceId: TRACE, spanId: '0000000000000001', isRemote: true });
        expect(second?.links[0]?.context.traceState?.serialize()).toBe('vendor=1');
        expect(chat.unsettled).toEqual([]);
      });
    }));

  it('makes few spans of what is settled one by one', () =>
    inVirtualTime((at) => {
      const { tracer, spans } = tracing();
      const deliveries$ = new Subject<Delivery<string>>();
      const seen = traced(tracer, deliveries$);
      const acker = new RecordingAcker('kafka:chat/0');
      for (let n = 0; n < 1_000; n += 1) {
        at(n, () => {
          deliveries$.next(acker.deliver(String(n), headed(parentOf(n + 1))));
          seen[n]?.ack();
        });
      }
      at(2_000, () => {
        expect(spans().length).toBeLessThanOrEqual(11);
        const counts = spans().map(({ attributes }) => Number(attributes['messaging.batch.message_count']));
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1_000);
      });
    }));

  it('makes one span of what is settled together, though an operator before gave each delivery an acker of its own', () =>
    inVirtualTime((at) => {
      const { tracer, briefly } = tracing();
      const deliveries$ = new Subject<Delivery<string>>();
      const seen: Delivery<string>[] = [];
      const parts = splitValue<string, string>((value) => [`${value}1`, `${value}2`]);
      deliveries$.pipe(parts, traceDeliveries({ tracer })).subscribe((one) => seen.push(one));
      const acker = new RecordingAcker('kafka:chat/0');
      at(0, () => {
        for (let n = 0; n < 10_000; n += 1) deliveries$.next(acker.deliver(String(n), headed(parentOf(n + 1))));
        for (const one of seen) one.ack();
        for (let n = 0; n < 100; n += 1) deliveries$.next(acker.deliver(String(n), headed(parentOf(n + 1))));
      });
      at(1_000, () => {
        expect(briefly()).toEqual([['ack chat', 128, 20_000]]);
        for (const one of seen.slice(20_000)) one.ack();
      });
      at(2_000, () => {
        expect(briefly()[1]).toEqual(['ack chat', 128, 200]);
        expect(acker.unsettled).toEqual([]);
      });
    }));

  it('keeps 4,096 contexts of a stream, and links no others', () =>
    inVirtualTime((at) => {
      const { tracer, briefly } = tracing();
      const deliveries$ = new Subject<Delivery<string>>();
      const seen = traced(tracer, deliveries$);
      const acker = new RecordingAcker('kafka:chat/0');
      at(0, () => {
        for (let n = 0; n < 4_200; n += 1) deliveries$.next(acker.deliver(String(n), headed(parentOf(n + 1))));
        for (const one of seen.slice(4_096)) one.ack();
      });
      at(1_000, () => {
        expect(briefly()).toEqual([]);
        for (const one of seen.slice(0, 4_096)) one.ack();
      });
      at(2_000, () => expect(briefly()).toEqual([['ack chat', 128, 4_096]]));
    }));

  it('makes a span of its own of nacks, with the code of the error and nothing of its text', () =>
    inVirtualTime((at) => {
      const { tracer, spans } = tracing();
      const deliveries$ = new Subject<Delivery<string>>();
      const seen = traced(tracer, deliveries$);
      const acker = new RecordingAcker('flume:a1');
      at(0, () => {
        for (const name of ['a', 'b']) deliveries$.next(acker.deliver(name, headed(parentOf(9))));
        seen[0]?.ack();
        seen[1]?.nack(Object.assign(new Error('password=secret'), { code: 'ECONNRESET' }));
      });
      at(1, () => {
        const nacked = spans().find(({ name }) => name === 'nack flume:a1');
        expect(spans()).toHaveLength(2);
        expect(nacked?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'ECONNRESET' });
        expect(nacked?.attributes['error.type']).toBe('ECONNRESET');
        expect(Object.values(acker.causes)).toHaveLength(1);
      });
    }));

  it('makes none of what is stale, or abandoned', () =>
    inVirtualTime((at) => {
      const { tracer, briefly } = tracing();
      const deliveries$ = new Subject<Delivery<string>>();
      const seen: Delivery<string>[] = [];
      const running = deliveries$.pipe(traceDeliveries({ tracer })).subscribe((one) => seen.push(one));
      const [over, acker] = [new RecordingAcker('kafka:chat/0'), new RecordingAcker('kafka:chat/0')];
      at(0, () => {
        for (const from of [over, acker]) deliveries$.next(from.deliver('a', headed(parentOf(9))));
        over.flush$.complete();
        seen[0]?.ack();
        running.unsubscribe();
        seen[1]?.nack(new Error('left'));
      });
      at(1_000, () => expect(briefly()).toEqual([]));
    }));

  it('makes a span of no duration where the clock was set back', () => {
    const { tracer, spans } = tracing();
    const deliveries$ = new Subject<Delivery<string>>();
    const seen = traced(tracer, deliveries$);
    const now = jest.spyOn(Date, 'now').mockReturnValue(2_000_000_000_000);
    try {
      deliveries$.next(new RecordingAcker('kafka:chat/0').deliver('a', headed(parentOf(9))));
      now.mockReturnValue(1_999_999_000_000);
      seen[0]?.ack();
      deliveries$.complete();
    } finally {
      now.mockRestore();
    }
    expect(spans().map(({ startTime, duration }) => [startTime, duration])).toEqual([
      [
        [1_999_999_000, 0],
        [0, 0],
      ],
    ]);
  });

  it('ignores every header that is malformed, repeated or too long, and passes its record on', () => {
    const good = parentOf(9);
    const bad = [
      ['', 'x', good.slice(1), `${good}0`, `${good}-more`, good.toUpperCase(), good.replace('00-', 'ff-')],
      [good.replace(TRACE, '0'.repeat(32)), parentOf(0), `${good}\n`, ` ${good}`, '01'.repeat(1_000)],
    ].flat();
    const byteStrings = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    const headers = fc.oneof(
      fc.constantFrom(...bad).map((one) => Buffer.from(one)),
      byteStrings,
      fc.constant(null),
    );
    fc.assert(
      fc.property(fc.array(headers, { maxLength: 3 }), headers, (parents, state) => {
        const { tracer, briefly } = tracing();
        inVirtualTime((at) => {
          const deliveries$ = new Subject<Delivery<string>>();
          const seen = traced(tracer, deliveries$);
          const acker = new RecordingAcker('kafka:chat/0');
          at(0, () => {
            const list = parents.map((parent) => ['traceparent', parent] as const);
            deliveries$.next(acker.deliver('a', { headerList: [...list, ['tracestate', state]] }));
            seen[0]?.ack();
          });
          at(1_000, () => {
            expect(briefly()).toEqual([]);
            expect(acker.acks).toEqual(['a']);
          });
        });
      }),
      // Each of them alone, and a good one twice.
      {
        examples: [
          ...bad.map((one) => [[Buffer.from(one)], null] as never),
          [[Buffer.from(good), Buffer.from(good)], null],
        ],
      },
    );
  });

  it('keeps the parent where only the state is bad, and reads later versions of both', () =>
    inVirtualTime((at) => {
      const { tracer, spans } = tracing();
      const deliveries$ = new Subject<Delivery<string>>();
      const seen = traced(tracer, deliveries$);
      const acker = new RecordingAcker('kafka:chat/0');
      const state = (given: string) => headed(parentOf(9), [['tracestate', Buffer.from(given)]]);
      at(0, () => {
        deliveries$.next(acker.deliver('huge', state(`a=${'b'.repeat(100_000)}`)));
        deliveries$.next(acker.deliver('odd', state('=,=;\u0000')));
        deliveries$.next(acker.deliver('later', headed(`${parentOf(9).replace('00-', '7a-')}-more`)));
        deliveries$.next(acker.deliver('map', { headers: { traceparent: Buffer.from(parentOf(9)) } }));
        for (const one of seen) one.ack();
      });
      at(1, () => {
        const [span] = spans();
        expect(span?.links).toHaveLength(4);
        expect(span?.links.map(({ context }) => context.traceState?.serialize() ?? '')).toEqual(['', '', '', '']);
      });
    }));

  it('does nothing but pass on where no provider is registered', () => {
    const deliveries$ = new Subject<Delivery<string>>();
    const seen: Delivery<string>[] = [];
    deliveries$.pipe(traceDeliveries<string>()).subscribe((one) => seen.push(one));
    const acker = new RecordingAcker('kafka:chat/0');
    deliveries$.next(acker.deliver('a', headed(parentOf(9))));
    seen[0]?.ack();
    expect(acker.acks).toEqual(['a']);
    expect(traceHeaders()({ origins: [seen[0]?.origin as Origin] })).toEqual({});
    expect(() => traceDeliveries({ tracer: {} as Tracer })).toThrow(/`tracer`/);
    expect(() => traceHeaders({ trace: 1 } as never)).toThrow(/`trace`/);
  });
});

describe('trace context', () => {
  it('goes from RabbitMQ on to Kafka, RabbitMQ and HTTP', () =>
    inVirtualTime((at) => {
      const { tracer, spans } = tracing();
      const [amqp, kafka, http] = [new MemoryAmqp(), new MemoryKafka(), new MemoryHttp()];
      for (const queue of ['q', 'out']) amqp.createQueue(queue);
      kafka.createTopic('out', 1);
      const monitor = new Monitor();
      const headers = { traceparent: parentOf(9), tracestate: 'vendor=1' };
      const sinks = [
        kafkaSink<string>(kafka, { topic: 'out', monitor }),
        amqpSink<string>(amqp, { routingKey: 'out', monitor }),
        httpSink<string>(http, { url: 'http://store/', headers: traceHeaders({ tracer }), monitor }),
      ];
      const stop$ = new Subject<void>();
      for (const [n, sink] of sinks.entries()) {
        const source = amqpSource(amqp, { queues: ['q'], monitor });
        at(n * 10_000, () => {
          amqp.send('q', ['a'], { headers });
          const whole = flow(`trace-${n}`, source, mapValue(String), traceDeliveries<string>({ tracer }), sink.write());
          const running = whole.pipe(drainOn(stop$)).subscribe();
          at(5_000, () => running.unsubscribe());
        });
      }
      at(40_000, () => {
        const [sent] = kafka.read('out');
        expect(sent?.headerList?.map(([name, value]) => [name, String(value)])).toEqual(Object.entries(headers));
        expect(amqp.messages('out')[0]?.properties.headers).toEqual(headers);
        const [request] = http.seen;
        const span = spans().find(({ name }) => name === 'send q');
        const { traceId, spanId } = span?.spanContext() ?? {};
        expect(request?.headers).toMatchObject({ traceparent: `00-${traceId}-${spanId}-01` });
        expect(span?.links.map(({ context }) => context.traceId)).toEqual([TRACE]);
        expect(spans().filter(({ name }) => name === 'ack q')).toHaveLength(3);
        expect(spans().at(-1)?.attributes).toMatchObject({
          'messaging.system': 'rabbitmq',
          'messaging.destination.name': 'q',
        });
      });
    }));
});
