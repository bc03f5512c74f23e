import { describe, expect, it } from '@jest/globals';
import { of, Subject, take } from 'rxjs';
import { type RateLimitOptions, rateLimit } from '../../operators/rate-limit.js';
import { OptionError } from '../../src/core/errors.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';
import { inVirtualTime } from '../support/virtual-time.js';
import { acked, drawn, taken } from './marbles.js';

/** When each of so many, that come at once at 100, and one more at 200, goes on. */
function times(options: RateLimitOptions, count: number): number[] {
  const out: number[] = [];
  inVirtualTime((at) => {
    let now = 0;
    for (let ms = 1; ms <= 400; ms += 1) at(ms, () => (now = ms));
    const acker = new RecordingAcker();
    const source$ = new Subject<Delivery<number>>();
    source$.pipe(rateLimit(options)).subscribe(() => out.push(now));
    at(100, () => {
      for (let n = 0; n < count; n += 1) source$.next(acker.deliver(n));
    });
    at(200, () => source$.next(acker.deliver(count)));
  });
  return out;
}

describe('rateLimit', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, acks$, expectObservable }) => {
      const values = '  -(abc)----|';
      const result = '  -a--b--c--|';
      const acks = '    -a--b--c---';
      expectObservable(deliveries(values).pipe(rateLimit({ count: 1, perMs: 3 }), acked)).toBe(result);
      expectObservable(acks$).toBe(acks);
    }));

  itKeepsTheEnds(rateLimit({ count: 1, perMs: 1 }));

  it('spaces them evenly, and lets a burst through after a pause', () => {
    expect(times({ count: 2, perMs: 10 }, 4)).toEqual([100, 105, 110, 115, 200]);
    expect(times({ count: 2, perMs: 10, burst: 3 }, 5)).toEqual([100, 100, 100, 105, 110, 200]);
    // Three in ten: never earlier than is due, though a timer has whole milliseconds only.
    expect(times({ count: 3, perMs: 10 }, 4)).toEqual([100, 104, 107, 110, 200]);
  });

  it('completes when nothing waits any more', () =>
    drawn(({ deliveries, expectObservable }) => {
      expectObservable(deliveries('(ab|)').pipe(rateLimit({ count: 1, perMs: 6 }), acked)).toBe('a-----(b|)');
    }));

  it('nacks what waits when it is left, also in the middle, or the source fails', () => {
    const acker = new RecordingAcker();
    inVirtualTime((at) => {
      const three$ = of(acker.deliver('a'), acker.deliver('b'), acker.deliver('c'));
      taken(three$.pipe(rateLimit({ count: 1, perMs: 5, burst: 2 }), take(2)));
      const source$ = new Subject<Delivery<string>>();
      taken(source$.pipe(rateLimit({ count: 1, perMs: 5 })));
      source$.next(acker.deliver('d'));
      source$.next(acker.deliver('e'));
      at(1, () => source$.error(new Error('lost')));
    });
    expect(acker.nacks).toEqual(['e']);
    expect(acker.causes.e).toMatchObject({
      code: 'RXF_SINK_STOPPED',
      message: 'The flow stopped before the rate let the value through; it is redelivered.',
    });
  });

  it('does not let through what is stale when its turn comes, nor count it', () => {
    const acker = new RecordingAcker();
    const other = new RecordingAcker('other');
    inVirtualTime((at) => {
      const source = of(acker.deliver('a'), acker.deliver('b'), other.deliver('c'));
      const out = taken(source.pipe(rateLimit({ count: 1, perMs: 5 })));
      at(1, () => acker.flush$.complete());
      at(5, () => expect(out.values.map(({ value }) => value)).toEqual(['a', 'c']));
    });
    expect(acker.nacks).toEqual(['b']);
  });

  it('lets go one after the other also where a taker brings more from within', () =>
    inVirtualTime((at) => {
      const acker = new RecordingAcker();
      const source$ = new Subject<Delivery<string>>();
      const seen: string[] = [];
      const running = source$.pipe(rateLimit({ count: 1, perMs: 1, burst: 9 })).subscribe(({ value }) => {
        seen.push(`${value} begins`);
        if (value === 'a') source$.next(acker.deliver('b'));
        seen.push(`${value} ends`);
      });
      source$.next(acker.deliver('a'));
      expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
      at(9, () => running.unsubscribe());
    }));

  itSettlesOnce(() => rateLimit({ count: 2, perMs: 3, burst: 2 }));

  it('never lets more through than the rate and one burst, in any window', () => {
    const out = times({ count: 4, perMs: 10, burst: 2 }, 30);
    for (const time of out) {
      expect(out.filter((one) => one >= time && one < time + 10).length).toBeLessThanOrEqual(4 + 2);
    }
  });

  it.each([
    [{ count: 0, perMs: 1 }, 'Expected `count` to be a whole number >= 1'],
    [{ count: 1 }, 'Expected `perMs` to be'],
    [{ count: 1, perMs: 1, burst: 0 }, 'Expected `burst` to be a whole number >= 1'],
    [
      { count: 1, perMs: 1, every: 1 },
      'Expected `rateLimit options` to have only known options (count, perMs, burst), got `every`.',
    ],
  ])('rejects %j', (options, message) => {
    const call = () => rateLimit(options as RateLimitOptions);
    expect(call).toThrow(message);
    expect(call).toThrow(OptionError);
  });
});
