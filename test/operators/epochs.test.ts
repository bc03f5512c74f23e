import { describe, expect, it } from '@jest/globals';
import {
  defer,
  EMPTY,
  finalize,
  ignoreElements,
  map,
  merge,
  type Observable,
  type OperatorFunction,
  Subject,
  tap,
  throwError,
  timer,
} from 'rxjs';
import {
  aggregateByKey,
  balance,
  batch,
  deadLetter,
  dedupeBy,
  failover,
  inFlightWindow,
  mapValue,
  mapValueAsync,
  rateLimit,
  retryWrite,
  routeBy,
  tee,
  timeoutUnsettled,
  transmit,
} from '../../operators/index.js';
import { Monitor } from '../../src/core/monitor.js';
import { Delivery } from '../../src/delivery/delivery.js';
import type { Receipt } from '../../src/delivery/receipt.js';
import { jsonLines } from '../../src/formats/json-lines.js';
import { amqpSink } from '../../src/sinks/amqp/amqp-sink.js';
import { consoleSink } from '../../src/sinks/console/console-sink.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import { flumeSink } from '../../src/sinks/flume/flume-sink.js';
import { httpSink } from '../../src/sinks/http/http-sink.js';
import { kafkaSink } from '../../src/sinks/kafka/kafka-sink.js';
import { MemoryAmqp } from '../../src/testing/memory/memory-amqp.js';
import { memoryFileSystem } from '../../src/testing/memory/memory-file-system.js';
import { MemoryFlume } from '../../src/testing/memory/memory-flume.js';
import { MemoryHttp } from '../../src/testing/memory/memory-http.js';
import { MemoryKafka } from '../../src/testing/memory/memory-kafka.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { inVirtualTime } from '../support/virtual-time.js';

type Deliveries<T = string> = Observable<Delivery<T>>;

/** When the epoch ends, and its stream is read again. */
const ENDS_AT = 20;

interface Trial {
  /** Emits what is passed on, or is about to be written, at that moment. */
  readonly ackGroup: OperatorFunction<Delivery<string>, Delivery<unknown>>;
  /** How long the taker takes to ack. */
  readonly acksAfterMs?: number;
}

const monitor = new Monitor();

/** A branch that nacks after so long, with a cause that is not the end of the flow. */
const nackingAfter = (ms: number) => (deliveries: Deliveries) =>
  deliveries.pipe(
    tap((delivery) => {
      timer(ms).subscribe(() => delivery.nack(new Error('full')));
    }),
    ignoreElements(),
  );

/** A branch that hands on what it is given. */
const handingOn = (deliveries: Deliveries) => deliveries;

/** Writes with `transmit`: what it begins to write is passed on, acked by `transmit` itself. */
const writing =
  (
    operator: (write: (value: string, delivery: Delivery<string>) => Observable<never>) => unknown,
    answer: () => Observable<never>,
  ) =>
  (source: Deliveries): Observable<Delivery<unknown>> => {
    const begun$ = new Subject<Delivery<unknown>>();
    const write = (_: string, delivery: Delivery<string>) =>
      defer(() => {
        begun$.next(delivery);
        return answer();
      });
    const written$ = source.pipe(operator(write) as OperatorFunction<Delivery<string>, never>);
    return merge(begun$, written$.pipe(finalize(() => begun$.complete())));
  };

const slowly = () => timer(30).pipe(ignoreElements());

/** Fails until the epoch has ended. */
const failing = (clock: { now: number }) => () =>
  clock.now < ENDS_AT + 5 ? throwError(() => new Error('away')) : EMPTY;

const TRIALS: Readonly<Record<string, (clock: { now: number }) => Trial>> = {
  aggregateByKey: () => ({
    ackGroup: aggregateByKey((value) => value, { windowMs: 50, initial: () => 0, add: (sum) => sum + 1 }),
  }),
  'aggregateByKey, windows that overlap': () => ({
    ackGroup: aggregateByKey(() => 'all', { windowMs: 60, slideMs: 15, initial: () => 0, add: (sum) => sum + 1 }),
  }),
  balance: () => ({ ackGroup: balance([handingOn, handingOn]), acksAfterMs: 5 }),
  batch: () => ({ ackGroup: batch({ count: 10, maxWaitMs: 100 }) }),
  'batch by weight': () => ({ ackGroup: batch({ count: 10, weight: 4, weigh: () => 1, maxWaitMs: 100 }) }),
  dedupeBy: () => ({ ackGroup: dedupeBy(() => 'one key', { windowMs: 1_000 }), acksAfterMs: 30 }),
  deadLetter: () => ({
    ackGroup: (source) => {
      const letters$ = new Subject<Delivery<unknown>>();
      const letters = (given: Deliveries<unknown>) =>
        given.pipe(
          tap((one) => letters$.next(one)),
          ignoreElements(),
        );
      return merge(
        letters$,
        source.pipe(
          deadLetter(letters, { when: () => true }),
          nackingAfter(30),
          finalize(() => letters$.complete()),
        ),
      );
    },
  }),
  failover: () => ({ ackGroup: failover<string, Delivery<unknown>>([nackingAfter(30), handingOn], { monitor }) }),
  inFlightWindow: () => ({ ackGroup: inFlightWindow({ count: 1 }), acksAfterMs: 30 }),
  mapValueAsync: () => ({ ackGroup: mapValueAsync(later) }),
  'mapValueAsync, one at a time': () => ({ ackGroup: mapValueAsync(later, { maxInFlight: 1 }) }),
  'mapValueAsync, in any order': () => ({ ackGroup: mapValueAsync(later, { order: 'none' }) }),
  rateLimit: () => ({ ackGroup: rateLimit({ count: 1, perMs: 30 }) }),
  retryWrite: (clock) => ({
    ackGroup: writing((write) => transmit(retryWrite(write, { firstDelayMs: 40, monitor })), failing(clock)),
  }),
  'retryWrite, its breaker open': (clock) => ({
    ackGroup: writing(
      (write) =>
        transmit(
          retryWrite(write, { firstDelayMs: 1, breaker: { failures: 1, openMs: 40 }, maxAttempts: 10, monitor }),
          {
            maxInFlight: 2,
          },
        ),
      failing(clock),
    ),
  }),
  routeBy: () => ({ ackGroup: routeBy(() => 'one', { one: (given: Deliveries) => given.pipe(batch({ count: 9 })) }) }),
  tee: () => ({ ackGroup: tee({ one: (given: Deliveries) => given.pipe(batch({ count: 9 })), other: acking }) }),
  timeoutUnsettled: () => ({
    ackGroup: timeoutUnsettled({ name: 'x', afterMs: 1_000, monitor }),
    acksAfterMs: 30,
  }),
  'transmit, one at a time': () => ({ ackGroup: writing((write) => transmit(write, { maxInFlight: 1 }), slowly) }),
  "transmit, order: 'key'": () => ({
    ackGroup: writing((write) => transmit(write, { order: 'key', key: () => 'one' }), slowly),
  }),
};

function later(value: string): Observable<string> {
  return timer(30).pipe(map(() => value));
}

function acking(deliveries: Deliveries): Observable<never> {
  return deliveries.pipe(
    tap((delivery) => delivery.ack()),
    ignoreElements(),
  );
}

describe('what is held of an epoch that ends', () => {
  it.each(Object.entries(TRIALS))(
    'is neither handed on nor joined by %s, which goes on with the next epoch',
    (_, make) => {
      const clock = { now: 0 };
      const { ackGroup, acksAfterMs = 0 } = make(clock);
      const [first, second] = [new RecordingAcker('test:0'), new RecordingAcker('test:0')];
      const given$ = new Subject<Delivery<string>>();
      const stale: unknown[] = [];
      let ended = '';
      inVirtualTime((at) => {
        given$.pipe(ackGroup).subscribe({
          next: (one) => {
            if (!(one instanceof Delivery)) return;
            const isOfSecond = one.acker.flush$ === second.flush$;
            if (clock.now >= ENDS_AT && (!isOfSecond || one.acker.isMixed === true)) stale.push(one.value);
            if (acksAfterMs === 0) one.ack();
            else timer(acksAfterMs).subscribe(() => one.ack());
          },
          error: () => {
            ended = 'error';
          },
          complete: () => {
            ended = 'complete';
          },
        });
        at(1, () => {
          for (const value of ['a', 'b', 'c']) given$.next(first.deliver(value));
        });
        at(ENDS_AT, () => {
          clock.now = ENDS_AT;
          first.flush$.complete();
          for (const value of ['a', 'b', 'c']) given$.next(second.deliver(value));
        });
        at(ENDS_AT + 5, () => {
          clock.now = ENDS_AT + 5;
        });
        at(1_000, () => given$.complete());
      });
      expect({ stale, ended }).toEqual({ stale: [], ended: 'complete' });
      expect(second.unsettled).toEqual([]);
      expect([...second.acks, ...second.nacks].sort()).toEqual(['a', 'b', 'c']);
      expect(first.unsettled).toEqual([]);
    },
  );

  it.each(Object.entries(TRIALS))('is not held by %s where the epoch was over when it came', (_, make) => {
    const clock = { now: 0 };
    const { ackGroup } = make(clock);
    const [first, second] = [new RecordingAcker('test:0'), new RecordingAcker('test:0')];
    const given$ = new Subject<Delivery<string>>();
    let mixed = 0;
    inVirtualTime((at) => {
      given$.pipe(ackGroup).subscribe((one) => {
        if (!(one instanceof Delivery)) return;
        if (one.acker.isMixed === true) mixed += 1;
        one.ack();
      });
      at(ENDS_AT, () => {
        clock.now = ENDS_AT + 5;
        first.flush$.complete();
        given$.next(first.deliver('a'));
        given$.next(second.deliver('a'));
      });
      at(1_000, () => given$.complete());
    });
    expect(mixed).toBe(0);
    expect([first.unsettled, second.unsettled]).toEqual([[], []]);
  });

  it('is not listened for by each value, where it was joined of several streams', () => {
    const [one, two] = [new RecordingAcker('test:0'), new RecordingAcker('test:1')];
    const given$ = new Subject<Delivery<string>>();
    const running = given$
      .pipe(
        batch({ count: 2 }),
        dedupeBy((values) => values.join(), { windowMs: 60_000 }),
        timeoutUnsettled({ name: 'x', afterMs: 60_000, monitor }),
        batch({ count: 1 }),
      )
      .subscribe((joined) => joined.ack());
    const listeners = () => (one.flush$ as unknown as { observers: unknown[] }).observers.length;
    const counts: number[] = [];
    for (let n = 0; n < 200; n += 1) {
      given$.next(one.deliver(`a${n}`));
      given$.next(two.deliver(`b${n}`));
      counts.push(listeners());
    }
    running.unsubscribe();
    expect(counts.at(-1)).toBe(counts[0]);
    expect(listeners()).toBe(0);
  });
});

interface Store {
  readonly write: OperatorFunction<Delivery<string>, Receipt>;
  /** All that was written, as text. */
  readonly written: () => string;
}

/** Each sink that gathers, so that it holds what it is given for more than `ENDS_AT`. */
const STORES: Readonly<Record<string, () => Store>> = {
  amqp: () => {
    const amqp = new MemoryAmqp({ latencyMs: ENDS_AT });
    amqp.createQueue('q');
    const written: string[] = [];
    const encode = (value: string) => {
      written.push(value);
      return value;
    };
    return {
      write: amqpSink<string>(amqp, { routingKey: 'q', encode, monitor }).write(),
      written: () => written.join(''),
    };
  },
  console: () => {
    const written: string[] = [];
    const output = {
      name: 'test',
      write: (text: string) => {
        written.push(text);
        return timer(ENDS_AT * 2).pipe(ignoreElements());
      },
    };
    // What is written first is under way when the epoch ends.
    const first = () => written.join('').replace(/^.*\n/, '');
    return { write: consoleSink<string>(output, { encode: (value) => value, monitor }).write(), written: first };
  },
  flume: () => {
    const flume = new MemoryFlume();
    const written: string[] = [];
    flume
      .server()
      .listen({
        batch: (one) => {
          written.push(...one.events.map(({ body }) => String(body)));
          one.reply('OK');
        },
        clients: () => {},
        logEvent: () => {},
      })
      .subscribe();
    const sink = flumeSink(flume, { batch: { maxWaitMs: 100 }, monitor }).write();
    return {
      write: (given) =>
        given.pipe(
          mapValue((value) => ({ headers: {}, body: Buffer.from(value) })),
          sink,
        ),
      written: () => written.join(''),
    };
  },
  files: () => {
    const fs = memoryFileSystem();
    const options = {
      root: '/lake',
      format: jsonLines(),
      roll: { intervalMs: 100 },
      chunk: { maxWaitMs: 50 },
      monitor,
    };
    const receipts: Receipt[] = [];
    return {
      write: (given) =>
        fileSink<string>(fs, options)
          .write()(given)
          .pipe(tap((receipt) => receipts.push(receipt))),
      written: () => receipts.map(({ values }) => 'abc'.slice(0, values)).join(''),
    };
  },
  http: () => {
    const http = new MemoryHttp();
    return {
      write: httpSink<string>(http, { url: 'http://store/in', batch: { maxWaitMs: 100 }, monitor }).write(),
      written: () => http.seen.map(({ body }) => body.replaceAll(/[^abc]/g, '')).join(''),
    };
  },
  kafka: () => {
    const kafka = new MemoryKafka();
    kafka.createTopic('copy', 1);
    return {
      write: kafkaSink<string>(kafka, { topic: 'copy', batch: { maxWaitMs: 100 }, monitor }).write(),
      written: () =>
        kafka
          .read('copy')
          .map(({ value }) => String(value))
          .join(''),
    };
  },
};

describe('what a sink has gathered of an epoch that ends', () => {
  it.each(Object.entries(STORES))('is not written to %s, and what is redelivered is, once', (name, make) => {
    const { write, written } = make();
    const [first, second] = [new RecordingAcker('test:0'), new RecordingAcker('test:0')];
    const given$ = new Subject<Delivery<string>>();
    let ended = '';
    inVirtualTime((at) => {
      given$.pipe(write).subscribe({
        complete: () => {
          ended = 'complete';
        },
      });
      if (name === 'console') given$.next(first.deliver('under way'));
      at(1, () => {
        for (const value of ['a', 'b', 'c']) given$.next(first.deliver(value));
      });
      at(10, () => {
        first.flush$.complete();
        for (const value of ['a', 'b', 'c']) given$.next(second.deliver(value));
      });
      at(2_000, () => given$.complete());
    });
    expect([written().replaceAll('\n', ''), ended]).toEqual(['abc', 'complete']);
    expect(second.acks).toEqual(['a', 'b', 'c']);
    expect(first.unsettled).toEqual([]);
  });
});
