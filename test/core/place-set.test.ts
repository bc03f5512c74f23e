import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PlaceSet } from '../../src/core/place-set.js';

function runsOf(set: PlaceSet): [number, number][] {
  const runs: [number, number][] = [];
  set.forEachRun((first, next) => runs.push([first, next]));
  return runs;
}

describe('PlaceSet', () => {
  it('gives the unbroken runs of what was added, in any order of adding', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 })), fc.nat({ max: 2 ** 40 }), (offsets, base) => {
        const set = new PlaceSet();
        const model = new Set<number>();
        for (const offset of offsets) {
          expect(set.add(base + offset)).toBe(!model.has(base + offset));
          model.add(base + offset);
        }
        expect(set.size).toBe(model.size);
        const listed = runsOf(set).flatMap(([first, next]) =>
          Array.from({ length: next - first }, (_, i) => first + i),
        );
        expect(listed).toEqual([...model].sort((a, b) => a - b));
        const all = Array.from({ length: 302 }, (_, at) => base + at);
        expect(all.filter((place) => set.has(place))).toEqual(all.filter((place) => model.has(place)));
      }),
      { numRuns: 500 },
    );
  });

  it('joins neighbours into one run across words', () => {
    const set = new PlaceSet();
    for (let place = 30; place < 200; place += 1) set.add(place);
    expect(runsOf(set)).toEqual([[30, 200]]);
  });
});
