import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InFlightSizes } from '../../src/backpressure/in-flight-sizes.js';

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('add' as const), count: fc.integer({ min: 1, max: 900 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('oldest' as const), count: fc.integer({ min: 1, max: 1_200 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('any' as const),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      count: fc.integer({ min: 0, max: 300 }),
    }),
  },
);

describe('Unreleased', () => {
  it('frees each sequence number once, with its size, as a map would, however it grows and moves', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const sizes = new InFlightSizes();
        const model = new Map<number, number>();
        let next = 0;
        const release = (first: number, end: number) => {
          let [count, bytes] = [0, 0];
          for (let seq = first; seq < end; seq += 1) {
            const size = model.get(seq);
            if (size === undefined) continue;
            model.delete(seq);
            count += 1;
            bytes += size;
          }
          return { count, bytes };
        };
        const [got, expected]: { count: number; bytes: number }[][] = [[], []];
        for (const one of steps) {
          if (one.kind === 'add') {
            for (let n = 0; n < one.count; n += 1) {
              const size = (next * 7919) % 5 === 0 ? 0 : next % 1_000;
              sizes.add(size);
              model.set(next, size);
              next += 1;
            }
            continue;
          }
          const [oldest = 0] = model.keys();
          const first = one.kind === 'oldest' ? oldest : Math.floor(one.at * next);
          got?.push(sizes.release(first, first + one.count));
          expected?.push(release(first, first + one.count));
        }
        got?.push(sizes.release(0, next + 10));
        expected?.push(release(0, next + 10));
        expect(got).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('frees nothing for a sequence number that is released already, or not yet out', () => {
    const sizes = new InFlightSizes();
    sizes.add(4);
    sizes.add(0);
    expect(sizes.release(0, 2)).toEqual({ count: 2, bytes: 4 });
    expect(sizes.release(0, 2)).toEqual({ count: 0, bytes: 0 });
    expect(sizes.release(2, 9)).toEqual({ count: 0, bytes: 0 });
    sizes.add(5);
    expect(sizes.release(0, 3)).toEqual({ count: 1, bytes: 5 });
  });

  it('keeps room only for what is out: a long run through a small window stays small', () => {
    const sizes = new InFlightSizes();
    const before = process.memoryUsage().arrayBuffers;
    for (let seq = 0; seq < 400_000; seq += 1) {
      sizes.add(100);
      if (seq >= 500) sizes.release(seq - 500, seq - 499);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
    expect(sizes.release(0, 400_000)).toEqual({ count: 500, bytes: 50_000 });
  });

  it('knows sizes up to 4 GiB', () => {
    const sizes = new InFlightSizes();
    sizes.add(2 ** 32 - 2);
    expect(sizes.release(0, 1)).toEqual({ count: 1, bytes: 2 ** 32 - 2 });
  });
});
