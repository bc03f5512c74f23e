import { describe, expect, it } from '@jest/globals';
import { map, of, Subject, take, tap, timer } from 'rxjs';
import { splitValue } from '../../operators/split-value.js';
import { type TimeoutUnsettledOptions, timeoutUnsettled } from '../../operators/timeout-unsettled.js';
import { OptionError } from '../../src/core/errors.js';
import { Monitor } from '../../src/core/monitor.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { itKeepsTheEnds, itPassesOnTheAcker, itSettlesOnce } from '../support/operator-laws.js';
import { inVirtualTime } from '../support/virtual-time.js';
import { drawn, shown, taken } from './marbles.js';

describe('timeoutUnsettled', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, acks$, expectObservable }) => {
      const values = '  -a-b------------|';
      const result = '  -a-b------------|';
      const acks = '    ----b------------';
      const logEvents = ' ---------n-------';
      const monitor = new Monitor();
      const ackB = tap((one: Delivery<string>) => {
        if (one.value === 'b') timer(1).subscribe(() => one.ack());
      });
      const watched$ = deliveries(values).pipe(timeoutUnsettled({ name: 'post', afterMs: 8, monitor }), ackB, shown);
      expectObservable(watched$).toBe(result);
      expectObservable(acks$).toBe(acks);
      expectObservable(monitor.logEvents$.pipe(map(() => 'n')), '^----------------!').toBe(logEvents.trimEnd());
    }));

  itKeepsTheEnds(timeoutUnsettled({ name: 'x', afterMs: 100 }));

  it('says what is behind it, which stream, how many and how old, once in a while', () =>
    inVirtualTime((at) => {
      const monitor = new Monitor();
      const reported: unknown[] = [];
      monitor.logEvents$.subscribe(({ level, what, message, details }) =>
        reported.push([level, what, message, details]),
      );
      const [acker, other] = [new RecordingAcker('kafka:chat/3'), new RecordingAcker('kafka:chat/4')];
      const source$ = new Subject<Delivery<string>>();
      const out = taken(source$.pipe(timeoutUnsettled({ name: 'post', afterMs: 100, monitor })));
      const feed = (from: RecordingAcker, ...names: string[]) => {
        for (const name of names) source$.next(from.deliver(name, { offset: 40 + Number(name) }));
      };
      feed(acker, '0', '1');
      at(60, () => feed(acker, '2'));
      at(60, () => feed(other, '3'));
      at(80, () => out.values.find(({ value }) => value === '0')?.ack());
      at(170, () => out.values.find(({ value }) => value === '3')?.nack('x'));
      at(130, () => {
        expect(reported).toEqual([
          [
            'warn',
            'flow.unsettled',
            '1 deliveries of kafka:chat/3 have been unsettled in post for 100 ms, the oldest near offset 40. ' +
              'Look for an operator that waits there, or drops deliveries without acking.',
            { operator: 'post', ageMs: 100, count: 1, offset: 40 },
          ],
        ]);
      });
      at(210, () => {
        expect(reported.length).toBe(2);
        expect(reported[1]).toEqual(expect.arrayContaining([{ operator: 'post', ageMs: 200, count: 2, offset: 40 }]));
        acker.flush$.complete();
      });
      at(900, () => {
        expect(reported.length).toBe(2);
        out.unsubscribe();
      });
    }));

  it('passes everything on, and keeps nothing of what is settled', () => {
    const acker = new RecordingAcker();
    const held: number[] = [];
    Object.assign(acker, { hold: (first: number) => held.push(first) });
    const out = taken(of(acker.deliver('a'), acker.deliver('b')).pipe(timeoutUnsettled({ name: 'x', afterMs: 9 })));
    out.values[0]?.acker.hold(0, 1);
    out.values[0]?.release();
    out.values[0]?.ack();
    out.values[1]?.nack('no');
    expect([acker.log, held]).toEqual([['release a', 'ack a', 'nack b'], [0]]);
    expect(out.values[0]?.acker.flush$).toBe(acker.flush$);
  });

  it('tells of a stream once, also where each delivery has an acker of its own; and of the oldest', () =>
    inVirtualTime((at) => {
      const monitor = new Monitor();
      const reported: unknown[] = [];
      monitor.logEvents$.subscribe(({ details }) => reported.push(details));
      const acker = new RecordingAcker('kafka:chat/3');
      const source$ = new Subject<Delivery<string>>();
      const out = taken(
        source$.pipe(
          splitValue((value) => [value]),
          timeoutUnsettled({ name: 'post', afterMs: 100, monitor }),
        ),
      );
      for (const [index, ms] of [0, 30, 60, 90].entries()) {
        at(ms, () => source$.next(acker.deliver('x', { offset: 10 + index })));
      }
      at(140, () => out.values[1]?.ack());
      at(350, () => out.unsubscribe());
      at(360, () =>
        expect(reported).toEqual([
          { operator: 'post', ageMs: 100, count: 1, offset: 10 },
          { operator: 'post', ageMs: 200, count: 3, offset: 10 },
          { operator: 'post', ageMs: 300, count: 3, offset: 10 },
        ]),
      );
    }));

  it('leaves no timer behind', () =>
    drawn(({ deliveries, expectObservable }) => {
      expectObservable(deliveries('a-').pipe(timeoutUnsettled({ name: 'x', afterMs: 4 }), take(1), shown)).toBe('(a|)');
    }));

  itPassesOnTheAcker(timeoutUnsettled({ name: 'x', afterMs: 9 }));

  it('looks no more once all is settled, and tells again after a pause', () =>
    inVirtualTime((at) => {
      const monitor = new Monitor();
      const reported: unknown[] = [];
      monitor.logEvents$.subscribe(({ details }) => reported.push(details?.ageMs));
      const acker = new RecordingAcker();
      const source$ = new Subject<Delivery<string>>();
      const out = taken(source$.pipe(timeoutUnsettled({ name: 'post', afterMs: 100, monitor })));
      source$.next(acker.deliver('a'));
      at(110, () => out.values[0]?.ack());
      at(120, () => source$.next(acker.deliver('b')));
      at(250, () => expect(reported).toEqual([100, 105]));
      at(260, () => out.unsubscribe());
    }));

  it('keeps what came within one look together, and what came a look later apart', () =>
    inVirtualTime((at) => {
      const monitor = new Monitor();
      const reported: unknown[] = [];
      monitor.logEvents$.subscribe(({ details }) => reported.push([details?.count, details?.offset]));
      const acker = new RecordingAcker();
      const source$ = new Subject<Delivery<string>>();
      const out = taken(source$.pipe(timeoutUnsettled({ name: 'post', afterMs: 100, monitor })));
      for (const ms of [0, 24, 25, 26]) at(ms, () => source$.next(acker.deliver('a', { offset: ms })));
      at(101, () => {
        expect(reported).toEqual([[2, 0]]);
        out.values[0]?.ack();
        out.values[1]?.ack();
      });
      at(126, () => expect(reported).toEqual([[2, 0]]));
      at(201, () =>
        expect(reported).toEqual([
          [2, 0],
          [2, 25],
        ]),
      );
      at(210, () => out.unsubscribe());
    }));

  it('forgets the epoch that is over, and no other', () =>
    inVirtualTime((at) => {
      const monitor = new Monitor();
      const reported: unknown[] = [];
      monitor.logEvents$.subscribe(({ message }) => reported.push(message.split(' ')[3]));
      const [one, other] = [new RecordingAcker('s:1'), new RecordingAcker('s:2')];
      const source$ = new Subject<Delivery<string>>();
      const out = taken(source$.pipe(timeoutUnsettled({ name: 'post', afterMs: 100, monitor })));
      source$.next(one.deliver('a'));
      source$.next(other.deliver('a'));
      at(50, () => one.flush$.complete());
      at(120, () => expect(reported).toEqual(['s:2']));
      at(130, () => out.unsubscribe());
    }));

  itSettlesOnce(() => timeoutUnsettled({ name: 'x', afterMs: 8, monitor: new Monitor() }));

  it.each([
    [{ afterMs: 1 }, 'Expected `name` to be a non-empty string'],
    [{ name: 'x' }, 'Expected `afterMs` to be'],
    [{ name: 'x', afterMs: 1, monitor: 1 }, 'Expected `monitor` to be a Monitor'],
    [
      { name: 'x', afterMs: 1, every: 1 },
      'Expected `timeoutUnsettled options` to have only known options (name, afterMs, monitor)',
    ],
    [{ name: 'x', afterMs: 1, monitor: null }, 'Expected `monitor` to be a Monitor'],
  ])('rejects %j', (options, message) => {
    const call = () => timeoutUnsettled(options as TimeoutUnsettledOptions);
    expect(call).toThrow(message);
    expect(call).toThrow(OptionError);
  });
});
