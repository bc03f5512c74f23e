import { describe, expect, it } from '@jest/globals';
import { concat, NEVER, of, Subject, throwError } from 'rxjs';
import { type BatchOptions, batch } from '../../operators/batch.js';
import { inFlightWindow } from '../../operators/in-flight-window.js';
import { transmit } from '../../operators/transmit.js';
import type { Delivery } from '../../src/core/delivery.js';
import { OptionError } from '../../src/core/errors.js';
import { RecordingDuty } from '../../src/testing/recording-duty.js';
import { itKeepsTheEnds, itLeavesAnEndlessSource, itSettlesOnce } from '../support/operator-laws.js';
import { inVirtualTime } from '../support/virtual-time.js';
import { ackedAfter, drawn, shown, taken } from './marbles.js';

/** Feeds deliveries by hand. */
function fed(options: BatchOptions<string>) {
  const source$ = new Subject<Delivery<string>>();
  const duty = new RecordingDuty();
  const out = taken(source$.pipe(batch(options)));
  const feed = (names: string, from = duty) => {
    for (const name of names) source$.next(from.deliver(name));
  };
  return { source$, duty, out, feed, batches: () => out.values.map(({ value }) => value.join('')) };
}

describe('batch', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, acks$, expectObservable }) => {
      const values = '  -a-b-c-------d-|';
      const result = '  ---x------y----(z|)';
      const acks = '    ----(ab)---c----d';
      const result$ = deliveries(values).pipe(batch({ count: 2, maxWaitMs: 5 }), ackedAfter(1));
      expectObservable(result$).toBe(result, { x: ['a', 'b'], y: ['c'], z: ['d'] });
      expectObservable(acks$).toBe(acks);
    }));

  itKeepsTheEnds(batch({ count: 3 }));

  it('is full by bytes too', () =>
    inVirtualTime(() => {
      const { feed, batches, source$ } = fed({ count: 100, bytes: 3 });
      feed('abcdefg');
      expect(batches()).toEqual(['abc', 'def']);
      source$.complete();
      expect(batches()).toEqual(['abc', 'def', 'g']);
    }));

  it('is full by a weight of your own too, and nacks what cannot be weighed', () =>
    inVirtualTime(() => {
      const weigh = (value: string) => {
        if (value === 'x') throw new Error('no weight');
        return value === 'n' ? Number.NaN : value.charCodeAt(0) - 96;
      };
      const { feed, batches, duty, source$ } = fed({ count: 100, weight: 4, weigh });
      feed('abcxdnab');
      expect(batches()).toEqual(['abc', 'd']);
      expect(duty.nacks).toEqual(['x', 'n']);
      expect(duty.causes.n).toMatchObject({ code: 'RXF_OPTION_INVALID' });
      source$.complete();
      expect(batches()).toEqual(['abc', 'd', 'ab']);
    }));

  it('waits from the first value of a batch, not the last, and starts the wait anew with each batch', () =>
    drawn(({ deliveries, expectObservable }) => {
      const result$ = deliveries('a-b-c-d-e---------|').pipe(batch({ count: 4, maxWaitMs: 7 }), shown);
      expectObservable(result$).toBe('------x--------y--|', { x: ['a', 'b', 'c', 'd'], y: ['e'] });
    }));

  it('waits 1,000 ms where no wait is given', () =>
    drawn(({ deliveries, expectObservable }) => {
      const result$ = deliveries('a-').pipe(batch({ count: 2 }), shown);
      expectObservable(result$).toBe('1000ms x', { x: ['a'] });
    }));

  it.each(['release', 'settle'] as const)('hands over at once when the source wants %s', (want) =>
    inVirtualTime(() => {
      const { duty, feed, batches, source$ } = fed({ count: 10 });
      duty.wanted.next(want);
      feed('ab');
      duty.wanted.next(want);
      duty.wanted.next(want);
      feed('c');
      duty.wanted.next(want);
      expect(batches()).toEqual(['ab', 'c']);
      source$.complete();
      expect(duty.wanted.observed).toBe(false);
    }),
  );

  it('listens to the source of every delivery, once each, and lets go when its epoch ends', () =>
    inVirtualTime(() => {
      const { duty, feed, batches, out } = fed({ count: 10 });
      const other = new RecordingDuty('other');
      feed('ab');
      feed('c', other);
      other.wanted.next('settle');
      feed('d');
      other.wanted.complete();
      duty.wanted.next('release');
      expect(batches()).toEqual(['abc', 'd']);
      out.unsubscribe();
      expect(duty.wanted.observed).toBe(false);
    }));

  it('settles and releases all of it as one', () =>
    inVirtualTime(() => {
      const { duty, feed, out } = fed({ count: 2 });
      feed('abcd');
      out.values[0]?.release();
      out.values[0]?.ack();
      out.values[0]?.nack('late');
      out.values[1]?.nack('refused');
      expect(duty.log).toEqual(['release a', 'release b', 'ack a', 'ack b', 'nack c', 'nack d']);
      expect(out.values[0]?.origin).toMatchObject({ offset: 0, byteLength: 2 });
    }));

  it('nacks what it holds when it is unsubscribed and when the source fails', () =>
    inVirtualTime(() => {
      const left = fed({ count: 3 });
      left.feed('abcd');
      left.out.unsubscribe();
      expect(left.duty.nacks).toEqual(['d']);
      const failed = fed({ count: 3 });
      failed.feed('a');
      failed.source$.error(new Error('lost'));
      expect([failed.duty.nacks, failed.out.ended]).toEqual([['a'], 'error']);
      expect(failed.duty.causes.a).toMatchObject({ code: 'RXF_SINK_STOPPED', retryable: true });
    }));

  it('hands nothing over to a taker that nacks because the source failed, though the source asks once more', () =>
    inVirtualTime(() => {
      const duty = new RecordingDuty('asking', () => duty.wanted.next('settle'));
      const failing = concat(
        of(...[...'abc'].map((name) => duty.deliver(name))),
        throwError(() => new Error('lost')),
      );
      taken(
        failing.pipe(
          batch({ count: 2 }),
          inFlightWindow({ count: 9 }),
          transmit(() => NEVER),
        ),
      );
      expect(duty.nacks.sort()).toEqual(['a', 'b', 'c']);
    }));

  it('leaves no timer behind', () =>
    drawn(({ expectObservable }) => {
      const result$ = concat(of(new RecordingDuty().deliver('a')), NEVER).pipe(
        batch({ count: 2, maxWaitMs: 5 }),
        shown,
      );
      expectObservable(result$, '---!').toBe('-');
    }));

  itLeavesAnEndlessSource(batch({ count: 3 }));

  it('starts no time for a batch that holds nothing, and says why it refuses what it held', () =>
    inVirtualTime((at) => {
      const duty = new RecordingDuty();
      const source$ = new Subject<Delivery<number>>();
      const weigh = (value: number) => (value < 0 ? Number.NaN : 1);
      const out = taken(source$.pipe(batch({ count: 9, weight: 9, weigh, maxWaitMs: 10 })));
      source$.next(duty.deliver(-1));
      expect((duty.causes['-1'] as Error).message).toBe(
        'Expected `weigh(value)` to be a number >= 0, got `NaN` (number)',
      );
      at(8, () => source$.next(duty.deliver(1)));
      at(17, () => expect(out.values).toEqual([]));
      at(19, () => expect(out.values.map(({ value }) => value)).toEqual([[1]]));
      at(20, () => {
        source$.next(duty.deliver(2));
        source$.next(duty.deliver('3' as never));
        out.unsubscribe();
        expect((duty.causes['2'] as Error).message).toBe(
          'The flow stopped before the batch was full; its values are redelivered.',
        );
      });
    }));

  it('refuses a weight that is no number', () => {
    const duty = new RecordingDuty();
    taken(of(duty.deliver(1)).pipe(batch({ count: 9, weight: 9, weigh: () => '1' as never })));
    expect(duty.causes['1']).toMatchObject({ code: 'RXF_OPTION_INVALID' });
  });

  itSettlesOnce(() => batch({ count: 4, bytes: 20, maxWaitMs: 6 }));

  it.each([
    [{ count: 0 }, 'Expected `count` to be a whole number >= 1, got `0` (number)'],
    [{ count: 1.5 }, 'Expected `count` to be a whole number >= 1, got `1.5` (number)'],
    [{}, 'Expected `count` to be a whole number >= 1, got `undefined` (undefined)'],
    [{ count: 1, bytes: 0 }, 'Expected `bytes` to be a whole number >= 1, got `0` (number)'],
    [
      { count: 1, maxWaitMs: 0 },
      'Expected `maxWaitMs` to be a number of milliseconds from 1 to 2147483647, got `0` (number)',
    ],
    [{ count: 1, maxWaitMs: 2 ** 31 }, 'got `2147483648` (number)'],
    [{ count: 1, weight: 0 }, 'Expected `weight` to be a whole number >= 1, got `0` (number)'],
    [{ count: 1, weight: 5 }, 'Expected `weight` to be given with `weigh`'],
    [{ count: 1, weigh: () => 1 }, 'Expected `weight` to be given with `weigh`'],
    [{ count: 1, weight: 5, weigh: 1 }, 'Expected `weigh` to be a function, got `1` (number)'],
    [
      { size: 3 },
      'Expected `batch options` to have only known options (bytes, weight, maxWaitMs, count, weigh), got `size`',
    ],
    [undefined, 'Expected `batch options` to be an object of options, got `undefined` (undefined)'],
  ])('refuses %j', (options, message) => {
    const call = () => batch(options as BatchOptions);
    expect(call).toThrow(message);
    expect(call).toThrow(OptionError);
  });
});
