import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import {
  delay,
  EMPTY,
  filter,
  ignoreElements,
  map,
  mergeMap,
  Observable,
  Subject,
  type Subscription,
  tap,
  timer,
} from 'rxjs';
import { batch, filterValue, mapValue, splitValue, tee, trusted } from '../../operators/index.js';
import { type LogEvent, Monitor } from '../../src/core/monitor.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Receipt, Sink } from '../../src/delivery/receipt.js';
import { Source } from '../../src/delivery/source.js';
import { flow } from '../../src/flow/flow.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { inVirtualTime } from '../support/virtual-time.js';

/** A sink that acks each delivery so much later. */
const acks =
  <T>(ms: number): Sink<T> =>
  (deliveries) =>
    deliveries.pipe(
      mergeMap((delivery) => timer(ms).pipe(tap(() => delivery.ack()))),
      map(() => ({}) as Receipt),
    );

const forgetting: Sink<unknown> = (deliveries) => deliveries.pipe(ignoreElements());

function setting() {
  const monitor = new Monitor();
  const logEvents: LogEvent[] = [];
  monitor.logEvents$.subscribe((logEvent) => logEvents.push(logEvent));
  const acker = new RecordingAcker('kafka:chat/3');
  const arriving$ = new Subject<Delivery<number>>();
  const source = new Source<Delivery<number>>((subscriber) => arriving$.subscribe(subscriber));
  const send = (...values: readonly number[]) => {
    for (const value of values) arriving$.next(acker.deliver(value));
  };
  return { monitor, logEvents, acker, source, send };
}

describe('a watched flow names the operator and the oldest delivery that is not settled', () => {
  it('where one of ours is the last that took it', () => {
    const { monitor, logEvents, source, send, acker } = setting();
    const batched = flow(
      'chat',
      source,
      mapValue((value) => value),
      batch({ count: 9, maxWaitMs: 900 }),
      acks(1),
    );
    inVirtualTime((at) => {
      const running = batched.watched({ afterMs: 100, monitor }).subscribe();
      at(10, () => send(1, 2));
      at(90, () => send(3));
      at(130, () => running.unsubscribe());
    });
    expect(logEvents).toEqual([
      {
        level: 'warn',
        what: 'flow.unsettled',
        message: expect.stringMatching(
          /^Flow `chat`: kafka:chat\/3 offset 0 has not been settled for 100 ms\. It was taken last by operator 2 \(`batch`\), between `mapValue` and the sink\. Of 3 watched deliveries, 2 are that late\./,
        ),
        details: { flow: 'chat', operator: 'batch', step: 2, stream: 'kafka:chat/3', offset: 0, ageMs: 100, late: 2 },
      },
    ]);
    expect(acker.nacks).toEqual(['1', '2', '3']);
  });

  it('where an operator has no name, by its position; and says so again in as long', () => {
    const { monitor, logEvents, source, send } = setting();
    const waits = trusted(delay<Delivery<number>>(10_000));
    Object.defineProperty(waits, 'name', { value: '' });
    const slow = flow(
      'slow',
      source,
      filterValue((value: number) => value !== 0),
      waits,
      mapValue((value) => value),
      forgetting,
    );
    inVirtualTime((at) => {
      const running = slow.watched({ afterMs: 100, monitor }).subscribe();
      at(1, () => send(0, 1));
      at(330, () => running.unsubscribe());
    });
    expect(logEvents.map(({ message }) => message.split('. ')[1])).toEqual(
      Array(3).fill('It was taken last by operator 2, between `filterValue` and `mapValue`'),
    );
    expect(logEvents.map(({ details }) => details?.ageMs)).toEqual([100, 200, 300]);
  });

  it('through operators that split, join and share', () => {
    const { monitor, logEvents, source, send } = setting();
    const several = flow(
      'several',
      source,
      splitValue((value) => [value, value]),
      batch({ count: 4 }),
      tee({ one: forgetting, two: forgetting }),
    );
    inVirtualTime((at) => {
      const running = several.watched({ afterMs: 100, monitor }).subscribe();
      at(1, () => send(1, 2, 3, 4));
      at(120, () => running.unsubscribe());
    });
    expect(logEvents.map(({ details }) => [details?.operator, details?.step, details?.late])).toEqual([['tee', 3, 4]]);
  });

  it('not where it is settled in time, the flow has ended, or its epoch is over', () => {
    const { monitor, logEvents, source, send, acker } = setting();
    const last = setting();
    inVirtualTime((at) => {
      const running = flow('fine', source, acks(99)).watched({ afterMs: 100, monitor }).subscribe();
      at(0, () => send(1, 2));
      at(50, () => send(3));
      at(160, () => send(4));
      at(170, () => running.unsubscribe());
      const ending = flow('over', last.source, forgetting).watched({ afterMs: 100, monitor }).subscribe();
      at(180, () => last.send(5));
      at(190, () => last.acker.flush$.complete());
      at(500, () => ending.unsubscribe());
    });
    expect(logEvents).toEqual([]);
    expect(acker.acks).toEqual(['1', '2', '3']);
  });

  it('watches at most 100 at once: all of the first 100, then one in 100, and leaves the others as they are', () => {
    const { monitor, source, send, acker } = setting();
    const ackers: unknown[] = [];
    const looks: Sink<number> = (deliveries) =>
      deliveries.pipe(
        mergeMap((delivery) => {
          ackers.push(delivery.acker);
          if (delivery.value < 1_000) delivery.ack();
          return EMPTY;
        }),
      );
    const running = flow('many', source, looks).watched({ monitor }).subscribe();
    send(...Array.from({ length: 30_000 }, (_, at) => at));
    running.unsubscribe();
    const watched = ackers.flatMap((one, at) => (one === acker ? [] : [at]));
    expect(watched.slice(0, 100)).toEqual(Array.from({ length: 100 }, (_, at) => at));
    expect(watched.slice(100, 109)).toEqual([199, 299, 399, 499, 599, 699, 799, 899, 999]);
    expect(watched.slice(109)).toEqual(Array.from({ length: 100 }, (_, at) => 1_099 + 100 * at));
    expect(acker.acks).toHaveLength(1_000);
  });

  it('is the same flow in all else', () => {
    const { source, send, acker } = setting();
    const plain = flow('plain', source, acks(0));
    const watched = plain.watched();
    expect([watched.name, watched.guarantee]).toEqual([plain.name, plain.guarantee]);
    inVirtualTime((at) => {
      const running: Subscription = watched.subscribe();
      send(1);
      at(9, () => running.unsubscribe());
    });
    expect(acker.log).toEqual(['ack 1']);
  });

  it('rejects wrong options', () => {
    const { source } = setting();
    const plain = flow('plain', source, acks(0));
    expect(() => plain.watched({ afterMs: 0 })).toThrow('Expected `afterMs` to be');
    expect(() => plain.watched({ monitor: {} as Monitor })).toThrow('Expected `monitor` to be a Monitor');
    expect(() => plain.watched({ after: 1 } as never)).toThrow('`watched options`');
  });

  it('is watched by itself in development, and in nothing else', () => {
    const before = process.env.NODE_ENV;
    const isWatched = (environment: string | undefined) => {
      const { source, send, acker } = setting();
      let isOwn = false;
      const looks: Sink<number> = (deliveries) =>
        deliveries.pipe(
          tap((delivery) => {
            isOwn = delivery.acker !== acker;
            delivery.ack();
          }),
          ignoreElements(),
        );
      if (environment === undefined) delete process.env.NODE_ENV;
      else process.env.NODE_ENV = environment;
      const running = flow('one', source, looks).subscribe();
      send(1);
      running.unsubscribe();
      return isOwn;
    };
    try {
      expect(['development', 'production', 'test', undefined].map(isWatched)).toEqual([true, false, false, false]);
    } finally {
      process.env.NODE_ENV = before;
    }
  });
});

describe('a watched flow tells for certain of what was dropped', () => {
  // One collection takes as long as the heap of all tests before it is large.
  const COLLECTING_MS = 60_000;
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;

  async function collected(until: () => boolean, rounds = 50): Promise<void> {
    for (let n = 0; n < rounds && !until(); n++) {
      collect();
      await setImmediate();
    }
  }

  it(
    'by an operator of RxJS, once it is garbage, with its position; and counts it',
    async () => {
      const { monitor, logEvents, source, send, acker } = setting();
      const dropping = flow(
        'leaky',
        source,
        mapValue((value) => value),
        trusted(filter(({ value }) => value % 2 === 0)),
        acks(0),
      );
      const running = dropping.watched({ monitor }).subscribe();
      send(0, 1, 2, 3, 4);
      await collected(() => monitor.total('rxflume_deliveries_lost_total') === 2 && acker.unsettled.length === 2);
      running.unsubscribe();
      expect(monitor.samples()).toEqual([
        { name: 'rxflume_deliveries_lost_total', labels: { flow: 'leaky', operator: 'trusted' }, value: 2 },
      ]);
      expect(logEvents).toEqual([
        {
          level: 'error',
          what: 'flow.lost',
          message: expect.stringMatching(
            /^Flow `leaky`: kafka:chat\/3 offset [13] was lost\. It was taken last by operator 2 \(`trusted`\), between `mapValue` and the sink\. Nothing holds it any more/,
          ),
          details: expect.objectContaining({ operator: 'trusted', step: 2, stream: 'kafka:chat/3' }),
        },
      ]);
      expect(acker.unsettled).toEqual(['1', '3']);
    },
    COLLECTING_MS,
  );

  it(
    'not of what is held, though only as a sequence number; nor of what is left when the flow or its epoch ends',
    async () => {
      const { monitor, logEvents, source, send, acker } = setting();
      const held: Sink<unknown> = (deliveries) => new Observable(() => deliveries.subscribe());
      const running = flow('holds', source, batch({ count: 9, maxWaitMs: 60_000 }), held)
        .watched({ monitor })
        .subscribe();
      send(1, 2);
      const other = setting();
      const ended = flow('ended', other.source, forgetting).watched({ monitor }).subscribe();
      other.send(1);
      ended.unsubscribe();
      const last = setting();
      const over = flow('over', last.source, forgetting).watched({ monitor }).subscribe();
      last.send(1);
      last.acker.flush$.complete();
      await collected(() => false, 3);
      running.unsubscribe();
      over.unsubscribe();
      expect(logEvents).toEqual([]);
      expect(acker.nacks).toEqual(['1', '2']);
    },
    COLLECTING_MS,
  );
});
