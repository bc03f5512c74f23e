import { describe, expect, it } from '@jest/globals';
import { concat, NEVER, of, Subject, throwError } from 'rxjs';
import { type BatchOptions, batch } from '../../operators/batch.js';
import { inFlightWindow } from '../../operators/in-flight-window.js';
import { transmit } from '../../operators/transmit.js';
import { OptionError } from '../../src/core/errors.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { itKeepsTheEnds, itLeavesAnEndlessSource, itSettlesOnce } from '../support/operator-laws.js';
import { inVirtualTime } from '../support/virtual-time.js';
import { ackedAfter, drawn, shown, taken } from './marbles.js';

/** Feeds deliveries by hand. */
function fed(options: BatchOptions<string>) {
  const source$ = new Subject<Delivery<string>>();
  const acker = new RecordingAcker();
  const out = taken(source$.pipe(batch(options)));
  const feed = (names: string, from = acker) => {
    for (const name of names) source$.next(from.deliver(name));
  };
  return { source$, acker, out, feed, batches: () => out.values.map(({ value }) => value.join('')) };
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
      const { feed, batches, acker, source$ } = fed({ count: 100, weight: 4, weigh });
      feed('abcxdnab');
      expect(batches()).toEqual(['abc', 'd']);
      expect(acker.nacks).toEqual(['x', 'n']);
      expect(acker.causes.n).toMatchObject({ code: 'RXF_OPTION_INVALID' });
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

  it.each(['release', 'settle'] as const)('hands over at once when the source wants %s', (signal) =>
    inVirtualTime(() => {
      const { acker, feed, batches, source$ } = fed({ count: 10 });
      acker.flush$.next(signal);
      feed('ab');
      acker.flush$.next(signal);
      acker.flush$.next(signal);
      feed('c');
      acker.flush$.next(signal);
      expect(batches()).toEqual(['ab', 'c']);
      source$.complete();
      expect(acker.flush$.observed).toBe(false);
    }),
  );

  it('listens to the source of every delivery, once each, and lets go when its epoch ends', () =>
    inVirtualTime(() => {
      const { acker, feed, batches, out } = fed({ count: 10 });
      const other = new RecordingAcker('other');
      feed('ab');
      feed('c', other);
      other.flush$.next('settle');
      feed('d');
      other.flush$.complete();
      acker.flush$.next('release');
      expect(batches()).toEqual(['abc', 'd']);
      out.unsubscribe();
      expect(acker.flush$.observed).toBe(false);
    }));

  it('settles and releases all of it as one', () =>
    inVirtualTime(() => {
      const { acker, feed, out } = fed({ count: 2 });
      feed('abcd');
      out.values[0]?.release();
      out.values[0]?.ack();
      out.values[0]?.nack('late');
      out.values[1]?.nack('refused');
      expect(acker.log).toEqual(['release a', 'release b', 'ack a', 'ack b', 'nack c', 'nack d']);
      expect(out.values[0]?.origin).toMatchObject({ offset: 0, byteLength: 2 });
    }));

  it('nacks what it holds when it is unsubscribed and when the source fails', () =>
    inVirtualTime(() => {
      const left = fed({ count: 3 });
      left.feed('abcd');
      left.out.unsubscribe();
      expect(left.acker.nacks).toEqual(['d']);
      const failed = fed({ count: 3 });
      failed.feed('a');
      failed.source$.error(new Error('lost'));
      expect([failed.acker.nacks, failed.out.ended]).toEqual([['a'], 'error']);
      expect(failed.acker.causes.a).toMatchObject({ code: 'RXF_SINK_STOPPED', retryable: true });
    }));

  it('hands nothing over to a taker that nacks because the source failed, though the source asks once more', () =>
    inVirtualTime(() => {
      const acker = new RecordingAcker('asking', () => acker.flush$.next('settle'));
      const failing = concat(
        of(...[...'abc'].map((name) => acker.deliver(name))),
        throwError(() => new Error('lost')),
      );
      taken(
        failing.pipe(
          batch({ count: 2 }),
          inFlightWindow({ count: 9 }),
          transmit(() => NEVER),
        ),
      );
      expect(acker.nacks.sort()).toEqual(['a', 'b', 'c']);
    }));

  it('leaves no timer behind', () =>
    drawn(({ expectObservable }) => {
      const result$ = concat(of(new RecordingAcker().deliver('a')), NEVER).pipe(
        batch({ count: 2, maxWaitMs: 5 }),
        shown,
      );
      expectObservable(result$, '---!').toBe('-');
    }));

  itLeavesAnEndlessSource(batch({ count: 3 }));

  it('starts no time for a batch that holds nothing, and says why it nacks what it held', () =>
    inVirtualTime((at) => {
      const acker = new RecordingAcker();
      const source$ = new Subject<Delivery<number>>();
      const weigh = (value: number) => (value < 0 ? Number.NaN : 1);
      const out = taken(source$.pipe(batch({ count: 9, weight: 9, weigh, maxWaitMs: 10 })));
      source$.next(acker.deliver(-1));
      expect((acker.causes['-1'] as Error).message).toBe(
        'Expected `weigh(value)` to be a number >= 0, got `NaN` (number).',
      );
      at(8, () => source$.next(acker.deliver(1)));
      at(17, () => expect(out.values).toEqual([]));
      at(19, () => expect(out.values.map(({ value }) => value)).toEqual([[1]]));
      at(20, () => {
        source$.next(acker.deliver(2));
        source$.next(acker.deliver('3' as never));
        out.unsubscribe();
        expect((acker.causes['2'] as Error).message).toBe(
          'The flow stopped before the batch was full; its values are redelivered.',
        );
      });
    }));

  it('nacks a weight that is no number', () => {
    const acker = new RecordingAcker();
    taken(of(acker.deliver(1)).pipe(batch({ count: 9, weight: 9, weigh: () => '1' as never })));
    expect(acker.causes['1']).toMatchObject({ code: 'RXF_OPTION_INVALID' });
  });

  itSettlesOnce(() => batch({ count: 4, bytes: 20, maxWaitMs: 6 }));

  it.each([
    [{ count: 0 }, 'Expected `count` to be a whole number >= 1, got `0` (number).'],
    [{ count: 1.5 }, 'Expected `count` to be a whole number >= 1, got `1.5` (number).'],
    [{}, 'Expected `count` to be a whole number >= 1, got `undefined` (undefined).'],
    [{ count: 1, bytes: 0 }, 'Expected `bytes` to be a whole number >= 1, got `0` (number).'],
    [
      { count: 1, maxWaitMs: 0 },
      'Expected `maxWaitMs` to be a number of milliseconds from 1 to 2147483647, got `0` (number).',
    ],
    [{ count: 1, maxWaitMs: 2 ** 31 }, 'got `2147483648` (number).'],
    [{ count: 1, weight: 0 }, 'Expected `weight` to be a whole number >= 1, got `0` (number).'],
    [{ count: 1, weight: 5 }, 'Expected `weight` to be given with `weigh`'],
    [{ count: 1, weigh: () => 1 }, 'Expected `weight` to be given with `weigh`'],
    [{ count: 1, weight: 5, weigh: 1 }, 'Expected `weigh` to be a function, got `1` (number).'],
    [
      { size: 3 },
      'Expected `batch options` to have only known options (bytes, weight, maxWaitMs, count, weigh), got `size`.',
    ],
    [undefined, 'Expected `batch options` to be an object of options, got `undefined` (undefined).'],
  ])('rejects %j', (options, message) => {
    const call = () => batch(options as BatchOptions);
    expect(call).toThrow(message);
    expect(call).toThrow(OptionError);
  });
});
