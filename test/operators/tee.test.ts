import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EMPTY, ignoreElements, map, NEVER, type Observable, of, Subject } from 'rxjs';
import { tee } from '../../operators/tee.js';
import { OptionError } from '../../src/core/errors.js';
import { Monitor } from '../../src/core/monitor.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';
import { drawn, taken } from './marbles.js';
import { brokenSink, sinkAfter, through } from './sinks.js';

const acking = <T>(deliveries: Observable<Delivery<T>>) =>
  deliveries.pipe(
    map((delivery) => delivery.ack()),
    ignoreElements(),
  );

/** Feeds a tee by hand, and keeps what each sink was given. */
function fed(options: Parameters<typeof tee>[1] = {}) {
  const given: Record<string, Delivery<string>[]> = { one: [], two: [] };
  const retained = (name: string) => (deliveries: Observable<Delivery<string>>) =>
    deliveries.pipe(
      map((delivery) => given[name]?.push(delivery)),
      ignoreElements(),
    );
  const acker = new RecordingAcker();
  const source$ = new Subject<Delivery<string>>();
  const monitor = new Monitor();
  const reported: string[] = [];
  monitor.logEvents$.subscribe(({ what }) => reported.push(what));
  const out = taken(
    source$.pipe(
      tee({ one: retained('one'), two: retained('two') }, { ...(options as { required?: ['one'] }), monitor }),
    ),
  );
  const feed = (names: string) => {
    for (const name of names) source$.next(acker.deliver(name));
  };
  const skipped = () => monitor.total('rxflume_tee_skipped_total');
  return {
    ...(given as { one: Delivery<string>[]; two: Delivery<string>[] }),
    acker,
    source$,
    out,
    feed,
    reported,
    skipped,
  };
}

describe('tee', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, acks$, expectObservable }) => {
      const values = '  -a-----b-----|';
      const result = '  --a-a---b-b--|';
      const acks = '    ----a-----b---';
      const [lake, index] = [sinkAfter<string>(3), sinkAfter<string>(1)];
      expectObservable(deliveries(values).pipe(tee({ lake, index }))).toBe(result);
      expectObservable(acks$).toBe(acks);
    }));

  itKeepsTheEnds(tee({ one: through, two: acking }));

  it('nacks when the first sink nacks, once, whatever the other does', () => {
    const { one, two, acker, feed } = fed();
    feed('ab');
    one[0]?.nack('first');
    two[0]?.nack('second');
    two[0]?.ack();
    two[1]?.ack();
    two[1]?.nack('late');
    one[1]?.ack();
    expect(acker.log.filter((line) => !line.startsWith('release'))).toEqual(['nack a', 'ack b']);
    expect(acker.causes).toEqual({ a: 'first' });
  });

  it('releases when all have released or acked', () => {
    const { one, two, acker, feed } = fed();
    feed('ab');
    one[0]?.release();
    one[1]?.ack();
    expect(acker.log).toEqual([]);
    two[0]?.release();
    two[1]?.release();
    expect(acker.log).toEqual(['release a', 'release b']);
  });

  it('acks runs as holders settle them, and keeps nothing of what is settled', () => {
    const { one, two, acker, source$ } = fed();
    for (let n = 0; n < 3_000; n += 1) source$.next(acker.deliver(String(n)));
    one[0]?.acker.ack(0, 3_000);
    expect(acker.log).toEqual([]);
    two[0]?.acker.ack(500, 3_000);
    two[0]?.acker.ack(0, 700);
    expect(acker.acks.length).toBe(3_000);
  });

  describe('with a sink that is not required', () => {
    const options = { required: ['one'], spare: { count: 2 } } as never;

    it('acks when the required have; the other may nack, fail or complete, and that is reported', () => {
      const { one, two, acker, feed, reported } = fed(options);
      feed('ab');
      one[0]?.ack();
      two[1]?.nack('no room');
      one[1]?.ack();
      expect([acker.acks, acker.nacks, reported]).toEqual([['a', 'b'], [], ['tee.nacked']]);
    });

    it('gives it no more than it keeps up with', () => {
      const { one, two, feed, reported, skipped, acker } = fed(options);
      feed('abcd');
      expect([one.length, two.length, skipped(), reported]).toEqual([4, 2, 2, ['tee.behind']]);
      two[0]?.release();
      two[0]?.ack();
      feed('ef');
      expect([one.length, two.map(({ value }) => value).join(''), skipped()]).toEqual([6, 'abe', 3]);
      two[0]?.acker.ack(0, 6);
      feed('g');
      expect([two.length, reported, acker.log]).toEqual([4, ['tee.behind', 'tee.behind'], []]);
    });

    it('goes on without it when it fails', () => {
      const acker = new RecordingAcker();
      const monitor = new Monitor();
      const reported: string[] = [];
      monitor.logEvents$.subscribe(({ message }) => reported.push(message));
      const sinks = { index: brokenSink<string>(new Error('no host')), lake: through<string> };
      const source = of(acker.deliver('a'), acker.deliver('b'));
      const out = taken(
        source.pipe(tee<string, string | Delivery<string>, 'index' | 'lake'>(sinks, { required: ['lake'], monitor })),
      );
      expect([out.values.length, out.ended, reported]).toEqual([
        2,
        'complete',
        ['Sink index is no longer used: no host.'],
      ]);
    });
  });

  it('fails with the error of a sink that is required', () => {
    const error = new Error('no disk');
    const out = taken(
      of(new RecordingAcker().deliver('a')).pipe(tee({ one: brokenSink<string>(error), two: () => NEVER })),
    );
    expect(out).toMatchObject({ ended: 'error', error });
  });

  it('nacks what a required sink does not take any more', () => {
    const acker = new RecordingAcker();
    taken(of(acker.deliver('a')).pipe(tee({ one: () => EMPTY, two: () => NEVER })));
    expect(acker.causes.a).toMatchObject({ code: 'RXF_SINK_STOPPED' });
  });

  itSettlesOnce(() => tee({ two: acking, one: through }));
  describe('of which one is not required', () => {
    itSettlesOnce(() => tee({ two: acking, one: through }, { required: ['one'], spare: { count: 3 } }));
  });

  it('settles each once, as the first nack or the last ack says, in any interleaving', () => {
    const step = fc.record({
      party: fc.nat({ max: 1 }),
      verb: fc.constantFrom('ack', 'ack', 'nack', 'release', 'hold'),
      first: fc.nat({ max: 9 }),
      count: fc.nat({ max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const { one, two, acker, feed } = fed();
        feed('0123456789');
        const acked = [new Set<number>(), new Set<number>()];
        const expected: Record<string, string> = {};
        for (const { party, verb, first, count } of steps) {
          const own = [one, two][party]?.[0]?.acker as NonNullable<(typeof one)[0]>['acker'];
          const next = Math.min(10, first + count);
          if (verb === 'nack') own.nack(first, next, 'no');
          else own[verb](first, next);
          for (let seq = first; seq < next; seq += 1) {
            if (expected[seq] !== undefined) continue;
            if (verb === 'nack' && !acked[party]?.has(seq)) expected[seq] = 'nack';
            if (verb === 'ack') acked[party]?.add(seq);
            if (acked.every((set) => set.has(seq))) expected[seq] = 'ack';
          }
        }
        const settled = acker.log
          .filter((line) => !line.startsWith('release'))
          .map((line) => line.split(' ').reverse());
        expect(Object.fromEntries(settled)).toEqual(expected);
        expect(settled.length).toBe(Object.keys(expected).length);
      }),
      { numRuns: 1_000 },
    );
  });

  it('says which sink is left out, is behind, or nacks', () => {
    const acker = new RecordingAcker();
    const monitor = new Monitor();
    const reported: unknown[] = [];
    monitor.logEvents$.subscribe(({ level, what, message }) => reported.push([level, what, message]));
    const source$ = new Subject<Delivery<string>>();
    const spare: Delivery<string>[] = [];
    const retained = (deliveries: Observable<Delivery<string>>) =>
      deliveries.pipe(
        map((delivery) => spare.push(delivery)),
        ignoreElements(),
      );
    const sinks = { one: acking, spare: retained, broken: brokenSink<string>(new Error('no host')) };
    const out = taken(
      source$.pipe(
        tee<string, unknown, 'one' | 'spare' | 'broken'>(sinks, { required: ['one'], spare: { count: 1 }, monitor }),
      ),
    );
    source$.next(acker.deliver('a'));
    source$.next(acker.deliver('b'));
    spare[0]?.nack(new Error('bad'));
    source$.next(acker.deliver('c'));
    source$.next(acker.deliver('d'));
    expect(reported).toEqual([
      ['warn', 'tee.left-out', 'Sink broken is no longer used: no host.'],
      ['warn', 'tee.behind', 'Sink spare has fallen behind and skips deliveries until it catches up.'],
      ['warn', 'tee.nacked', 'Sink spare nacked a value, which is not sent to it again: bad.'],
      ['warn', 'tee.behind', 'Sink spare has fallen behind and skips deliveries until it catches up.'],
    ]);
    // Of each sink, so that one can see which it is.
    expect(monitor.samples().filter(({ value }) => value > 0)).toEqual([
      { name: 'rxflume_tee_skipped_total', labels: { sink: 'spare' }, value: 2 },
      { name: 'rxflume_tee_skipped_total', labels: { sink: 'broken' }, value: 3 },
    ]);
    out.unsubscribe();
    expect(reported.length).toBe(4);
  });

  it.each([
    [{}, {}, 'Expected `sinks` to be an object of 1 to 8 sinks by name'],
    [Object.fromEntries([...'abcdefghi'].map((name) => [name, through])), {}, 'an object of 1 to 8 sinks'],
    [{ a: 1 }, {}, 'Expected `sinks.a` to be a function'],
    [{ a: through }, { required: [] }, 'Expected `required` to be some of a'],
    [{ a: through }, { required: ['b'] }, 'Expected `required` to be some of a'],
    [{ a: through, c: through }, { required: ['a', 'b'] }, 'Expected `required` to be some of a, c'],
    [{ a: through }, { spare: { size: 1 } }, 'Expected `spare` to have only known options (count, bytes)'],
    [{ a: through }, { monitor: null }, 'Expected `monitor` to be a Monitor'],
    [{ a: through }, { spare: { count: 0 } }, 'Expected `spare.count` to be a whole number >= 1'],
    [{ a: through }, { spare: { bytes: 0 } }, 'Expected `spare.bytes` to be a whole number >= 1'],
    [{ a: through }, { spare: { ms: 0 } }, 'got `ms`'],
    [{ a: through }, { monitor: {} }, 'Expected `monitor` to be a Monitor'],
    [
      { a: through },
      { all: 1 },
      'Expected `tee options` to have only known options (required, spare, monitor), got `all`.',
    ],
  ])('rejects %p with %p', (sinks, options, message) => {
    const call = () => tee(sinks as never, options as never);
    expect(call).toThrow(message);
    expect(call).toThrow(OptionError);
  });
});
