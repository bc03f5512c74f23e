import { describe, expect, it } from '@jest/globals';
import { EMPTY, ignoreElements, map, NEVER, type Observable, of, Subject } from 'rxjs';
import { balance } from '../../operators/balance.js';
import { OptionError } from '../../src/core/errors.js';
import { Monitor } from '../../src/core/monitor.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';
import { drawn, taken } from './marbles.js';
import { brokenSink, sinkAfter, through } from './sinks.js';

describe('balance', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, acks$, expectObservable }) => {
      const values = '  -ab--c---d------|';
      const result = '  ----b-ac------d-|';
      const acks = '    ----b-ac------d--';
      const [one, two] = [sinkAfter<string>(5), sinkAfter<string>(2)];
      expectObservable(deliveries(values).pipe(balance([one, two]))).toBe(result);
      expectObservable(acks$).toBe(acks);
    }));

  itKeepsTheEnds(balance([through, through]));

  it('gives to the one that holds the least unreleased, in turn where several do', () => {
    const given: Delivery<string>[][] = [[], [], []];
    const retained = (own: Delivery<string>[]) => (deliveries: Observable<Delivery<string>>) =>
      deliveries.pipe(
        map((delivery) => own.push(delivery)),
        ignoreElements(),
      );
    const source$ = new Subject<Delivery<string>>();
    const acker = new RecordingAcker();
    taken(source$.pipe(balance(given.map(retained))));
    const feed = (names: string) => {
      for (const name of names) source$.next(acker.deliver(name));
    };
    const shown = () => given.map((own) => own.map(({ value }) => value).join(''));
    feed('abcd');
    expect(shown()).toEqual(['ad', 'b', 'c']);
    given[0]?.[0]?.release();
    given[0]?.[1]?.ack();
    feed('efg');
    // a was released, d acked: the first holds none, the others one each.
    expect(shown()).toEqual(['ade', 'bf', 'cg']);
  });

  it('goes on with the others when a sink fails, nacks when all have completed, fails with the last error', () => {
    const acker = new RecordingAcker();
    const monitor = new Monitor();
    const reported: string[] = [];
    monitor.logEvents$.subscribe(({ what }) => reported.push(what));
    const source$ = new Subject<Delivery<string>>();
    const error = new Error('no host');
    const out = taken(
      source$.pipe(balance<string, unknown>([brokenSink(new Error('first')), brokenSink(error)], { monitor })),
    );
    source$.next(acker.deliver('a'));
    expect([out.ended, reported]).toEqual(['', ['balance.lost']]);
    source$.next(acker.deliver('b'));
    expect(out).toMatchObject({ ended: 'error', error });

    const half$ = new Subject<Delivery<string>>();
    taken(half$.pipe(balance<string, unknown>([() => EMPTY, () => NEVER])));
    half$.next(acker.deliver('c'));
    expect(acker.nacks).toEqual(['c']);
  });

  it('hides the ledger: what is redelivered may go to another sink', () => {
    const acker = Object.assign(new RecordingAcker(), { resumeTracker: {} as never });
    const out = taken(of(acker.deliver('a')).pipe(balance([through])));
    expect(out.values[0]?.acker.resumeTracker).toBeUndefined();
    expect(out.values[0]?.acker.flush$).toBe(acker.flush$);
  });

  it('hides the ledger from what it holds, says which sink it lost, and why it nacks when none is left', () => {
    const held: string[] = [];
    const acker = Object.assign(new RecordingAcker(), { resumeTracker: {} as never, hold: () => held.push('held') });
    const out = taken(of(acker.deliver('a')).pipe(balance([through])));
    out.values[0]?.acker.hold(0, 1);
    expect(held).toEqual([]);

    const monitor = new Monitor();
    const reported: unknown[] = [];
    monitor.logEvents$.subscribe(({ level, message }) => reported.push([level, message]));
    const source$ = new Subject<Delivery<string>>();
    taken(
      source$.pipe(balance<string, unknown>([() => EMPTY, brokenSink(new Error('no host')), () => NEVER], { monitor })),
    );
    source$.next(acker.deliver('b'));
    source$.next(acker.deliver('c'));
    expect(reported).toEqual([['warn', 'Sink 2 has failed and is not used again: no host.']]);
    expect((acker.causes.c as Error).message).toBe('All sinks have failed or completed; the value is redelivered.');
    expect(acker.causes.c).toMatchObject({ code: 'RXF_SINK_STOPPED' });
  });

  it('leaves the nack of a sink to the source, and goes round those that are open', () => {
    const acker = new RecordingAcker();
    const seen: string[] = [];
    const noting = (name: string) => (deliveries: Observable<Delivery<string>>) =>
      deliveries.pipe(
        map((delivery) => {
          seen.push(`${delivery.value}${name}`);
          if (delivery.value === 'x') delivery.nack('no');
          else delivery.ack();
        }),
        ignoreElements(),
      );
    const source$ = new Subject<Delivery<string>>();
    taken(source$.pipe(balance<string, unknown>([noting('1'), () => EMPTY, noting('3')])));
    for (const name of 'abxcd') source$.next(acker.deliver(name));
    expect([seen, acker.nacks]).toEqual([['a1', 'b3', 'x1', 'c3', 'd1'], ['x']]);
  });

  itSettlesOnce(() => balance([through, through, through]));

  it.each([
    [[], {}, 'Expected `sinks` to be an array of sinks'],
    [1, {}, 'Expected `sinks` to be an array of sinks'],
    [[1], {}, 'Expected `sinks[0]` to be a function'],
    [[through], { monitor: 1 }, 'Expected `monitor` to be a Monitor'],
    [[through], { monitor: null }, 'Expected `monitor` to be a Monitor'],
    [[through], { by: 1 }, 'Expected `balance options` to have only known options (monitor), got `by`.'],
  ])('rejects %p with %p', (sinks, options, message) => {
    const call = () => balance(sinks as never, options as never);
    expect(call).toThrow(message);
    expect(call).toThrow(OptionError);
  });
});
