import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { map, of, Subject } from 'rxjs';
import { type Aggregate, type AggregateByKeyOptions, aggregateByKey } from '../../operators/aggregate-by-key.js';
import { OptionError } from '../../src/core/errors.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';
import { inVirtualTime } from '../support/virtual-time.js';
import { ackedAfter, drawn, taken } from './marbles.js';

const JOIN = { initial: () => '', add: (text: string, value: string) => text + value };

function fed(options: Partial<AggregateByKeyOptions<string, string>> = {}) {
  const source$ = new Subject<Delivery<string>>();
  const acker = new RecordingAcker();
  const out = taken(
    source$.pipe(aggregateByKey((value) => value.toLowerCase(), { windowMs: 100, ...JOIN, ...options })),
  );
  const feed = (names: string, from = acker) => {
    for (const name of names) source$.next(from.deliver(name));
  };
  const shown = () => out.values.map(({ value: { value, from, isWhole } }) => `${value}@${from}${isWhole ? '' : '…'}`);
  return { source$, acker, out, feed, shown };
}

describe('aggregateByKey', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, acks$, expectObservable }) => {
      const values = '  -a-b-----c---|';
      const result = '  -----x----y--|';
      const acks = '    ------(ab)-c--';
      const aggregate = aggregateByKey<string, string, string>(() => 'all', {
        windowMs: 5,
        initial: () => '',
        add: (s, x) => s + x,
      });
      const rest = { key: 'all', isWhole: true };
      expectObservable(deliveries(values).pipe(aggregate, ackedAfter(1))).toBe(result, {
        x: { ...rest, from: 0, to: 5, value: 'ab', count: 2 },
        y: { ...rest, from: 5, to: 10, value: 'c', count: 1 },
      });
      expectObservable(acks$).toBe(acks);
    }));

  itKeepsTheEnds(aggregateByKey((value) => value, { windowMs: 5, initial: () => 0, add: (n: number) => n + 1 }));

  it('takes the same time for each value, however many keys there are', () => {
    const cpuOf = (keys: number) => {
      const { feed, source$, acker } = fed();
      feed('a');
      const deliveries = Array.from({ length: keys }, (_, n) => acker.deliver(`user-${n}`, {}, String(n)));
      const before = process.cpuUsage();
      for (const delivery of deliveries) source$.next(delivery);
      const { user } = process.cpuUsage(before);
      source$.complete();
      return user;
    };
    cpuOf(2_000);
    const few = Math.max(Math.min(cpuOf(2_000), cpuOf(2_000), cpuOf(2_000)), 1_000);
    // Ten times the keys: ten times as long, and a hundred times where each looks through all.
    expect(cpuOf(20_000) / few).toBeLessThan(40);
  });

  it('keeps keys apart, releases what it has added, and settles all of a window as one', () =>
    inVirtualTime((at) => {
      const { feed, acker, out, shown } = fed();
      feed('aBbA');
      expect(acker.releases.join('')).toBe('aBbA');
      at(100, () => {
        expect(shown()).toEqual(['aA@0', 'Bb@0']);
        out.values[0]?.nack('no');
        out.values[1]?.ack();
        expect([acker.acks.join(''), acker.nacks.join('')]).toEqual(['Bb', 'aA']);
        expect(out.values[0]?.origin).toMatchObject({ offset: 0, lastOffset: 3, byteLength: 2 });
      });
    }));

  it('puts a value into every window that overlaps, and acks it when all of them are', () =>
    inVirtualTime((at) => {
      const { feed, acker, out, shown, source$ } = fed({ slideMs: 40 });
      at(50, () => feed('a'));
      at(90, () => feed('a'));
      at(300, () => {
        // At 50 the windows from −40, 0 and 40 are open; at 90 those from 0, 40 and 80.
        expect(shown()).toEqual(['a@-40', 'aa@0', 'aa@40', 'a@80']);
        for (const one of out.values.slice(0, 3)) one.ack();
        expect(acker.log.filter((line) => line.startsWith('ack'))).toEqual(['ack a']);
        out.values[3]?.nack('no');
        expect(acker.nacks).toEqual(['a']);
        source$.complete();
      });
    }));

  it('keeps streams and epochs apart, so that no aggregate is of two', () =>
    inVirtualTime((at) => {
      const { feed, shown, out } = fed();
      feed('a');
      feed('a', new RecordingAcker('other'));
      at(100, () => {
        expect(shown()).toEqual(['a@0', 'a@0']);
        expect(out.values.map(({ origin, acker: { isMixed } }) => [origin.stream, isMixed])).toEqual([
          ['test:stream', false],
          ['other', false],
        ]);
      });
    }));

  it.each(['settle', 'catchUp'] as const)('emits open windows as they are when the source wants %s', (signal) =>
    inVirtualTime((at) => {
      const { feed, acker, shown } = fed();
      feed('ab');
      acker.flush$.next('release');
      expect(shown()).toEqual([]);
      acker.flush$.next(signal);
      feed('A');
      at(100, () => expect(shown()).toEqual(['a@0…', 'b@0…', 'A@0']));
    }),
  );

  it('emits all it has at so many values, and when the source completes', () =>
    inVirtualTime(() => {
      const { feed, shown, source$ } = fed({ count: 3 });
      feed('abab');
      source$.complete();
      expect(shown()).toEqual(['aa@0…', 'b@0…', 'b@0…']);
    }));

  it('nacks what is stale, and lets go of it', () =>
    inVirtualTime((at) => {
      const { feed, shown, acker } = fed();
      const other = new RecordingAcker('other');
      feed('a');
      feed('b', other);
      acker.flush$.complete();
      expect(acker.causes.a).toMatchObject({ code: 'RXF_SINK_STOPPED' });
      at(100, () => expect(shown()).toEqual(['b@0']));
    }));

  it('nacks a value that key or add throws for, and lives', () =>
    inVirtualTime((at) => {
      const acker = new RecordingAcker();
      const key = (value: string) => {
        if (value === 'k') throw new Error('no key');
        return 1;
      };
      const add = (text: string, value: string) => {
        if (value === 'v') throw new Error('no value');
        return text + value;
      };
      const source = new Subject<Delivery<string>>();
      const out = taken(source.pipe(aggregateByKey(key, { windowMs: 10, initial: () => '', add })));
      for (const name of 'vakb') source.next(acker.deliver(name));
      at(10, () => expect([out.values.map(({ value }) => value.value), acker.nacks]).toEqual([['ab'], ['v', 'k']]));
    }));

  it('nacks what it holds when it is left or the source fails', () =>
    inVirtualTime(() => {
      const [left, failed] = [fed(), fed()];
      left.feed('ab');
      left.out.unsubscribe();
      failed.feed('c');
      failed.source$.error(new Error('lost'));
      expect([left.acker.nacks, failed.acker.nacks, failed.out.ended]).toEqual([['a', 'b'], ['c'], 'error']);
    }));

  it('says why it nacks what it holds, and counts that as held no more', () =>
    inVirtualTime((at) => {
      const { feed, shown, acker, out } = fed({ count: 3 });
      const other = new RecordingAcker('other');
      feed('ab', other);
      other.flush$.complete();
      expect((other.causes.a as Error).message).toBe(
        'The flow stopped before the window ended; its values are redelivered.',
      );
      feed('cd');
      expect(shown()).toEqual([]);
      feed('c');
      expect(shown()).toEqual(['cc@0…', 'd@0…']);
      at(100, () => feed('efe'));
      at(101, () => {
        // What was emitted is held no more either.
        expect(shown()).toEqual(['cc@0…', 'd@0…', 'ee@100…', 'f@100…']);
        feed('gh');
      });
      at(150, () => {
        expect(shown().length).toBe(4);
        out.unsubscribe();
        expect(acker.nacks).toEqual(['g', 'h']);
      });
    }));

  it('has the last offset of what was joined already, and a whole hundred of windows', () =>
    inVirtualTime((at) => {
      const source$ = new Subject<Delivery<string>>();
      const acker = new RecordingAcker();
      const out = taken(source$.pipe(aggregateByKey(() => 'all', { windowMs: 100, slideMs: 1, ...JOIN })));
      source$.next(acker.deliver('a', { offset: 3, lastOffset: 9 }));
      source$.next(acker.deliver('b', { offset: 5, lastOffset: 7 }));
      at(300, () => {
        expect(out.values.length).toBe(100);
        expect(out.values[50]?.origin).toMatchObject({ offset: 3, lastOffset: 9, byteLength: 2 });
        out.unsubscribe();
      });
    }));

  it('is not held: no ledger may count on it', () =>
    inVirtualTime(() => {
      const held: string[] = [];
      const acker = Object.assign(new RecordingAcker(), { resumeTracker: {} as never, hold: () => held.push('held') });
      const out = taken(of(acker.deliver('a')).pipe(aggregateByKey((x) => x, { windowMs: 9, ...JOIN })));
      out.values[0]?.acker.hold(0, 1);
      expect(held).toEqual([]);
    }));

  it('hides the ledger: what is redelivered is put together otherwise', () =>
    inVirtualTime(() => {
      const acker = Object.assign(new RecordingAcker(), { resumeTracker: {} as never });
      const out = taken(of(acker.deliver('a')).pipe(aggregateByKey((x) => x, { windowMs: 9, ...JOIN })));
      expect(out.values[0]?.acker.resumeTracker).toBeUndefined();
    }));

  const values = map((one: Delivery<Aggregate<unknown, number[]>>) => one.with(one.value.value));
  const list = { initial: () => [] as number[], add: (all: number[], value: number) => [...all, value] };
  itSettlesOnce(
    () => (source) =>
      source.pipe(
        aggregateByKey((value) => value % 3, { windowMs: 7, ...list }),
        values,
      ),
  );

  it('loses no value and doubles none in tumbling windows, whatever is asked when', () => {
    const step = fc.record({ gap: fc.nat({ max: 30 }), name: fc.constantFrom('a', 'b', 'c'), isAsked: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const got: string[] = [];
        let acker = new RecordingAcker();
        inVirtualTime((at) => {
          const own = fed();
          acker = own.acker;
          let now = 0;
          for (const { gap, name, isAsked } of steps) {
            now += gap;
            at(now, () => {
              own.feed(name);
              if (isAsked) own.acker.flush$.next('settle');
            });
          }
          at(now + 500, () => {
            for (const one of own.out.values) {
              got.push(...one.value.value);
              one.ack();
            }
          });
        });
        expect(got.sort()).toEqual(steps.map(({ name }) => name).sort());
        expect(acker.unsettled).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    [1, {}, 'Expected `key` to be a function'],
    [of, {}, 'Expected `windowMs` to be'],
    [of, { windowMs: 5, slideMs: 6, ...JOIN }, 'Expected `slideMs` to be at most `windowMs`'],
    [of, { windowMs: 500, slideMs: 1, ...JOIN }, 'and at least a hundredth of it'],
    [of, { windowMs: 5, add: of }, 'Expected `initial` to be a function'],
    [of, { windowMs: 5, initial: of }, 'Expected `add` to be a function'],
    [of, { windowMs: 5, ...JOIN, count: 0 }, 'Expected `count` to be a whole number >= 1'],
    [of, { windowMs: 5, slideMs: 0, ...JOIN }, 'Expected `slideMs` to be a number of milliseconds from 1'],
    [of, { windowMs: 101, slideMs: 1, ...JOIN }, 'and at least a hundredth of it'],
    [of, { windowMs: 5, ...JOIN, size: 0 }, 'Expected `aggregateByKey options` to have only known options ('],
  ])('rejects %p, %p', (key, options, message) => {
    const call = () => aggregateByKey(key as never, options as never);
    expect(call).toThrow(message);
    expect(call).toThrow(OptionError);
  });
});
