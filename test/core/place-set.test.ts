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
        const runs = runsOf(set);
        expect(runs.slice(1).every(([first], at) => first > (runs[at] as [number, number])[1])).toBe(true);
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

  it.each([
    [0, 1],
    [0, 31],
    [0, 32],
    [0, 33],
    [0, 64],
    [0, 65],
    [32, 64],
    [64, 128],
  ])('gives one run of [%i, %i), with its place 0 and whole words', (first, next) => {
    const set = new PlaceSet();
    for (let place = first; place < next; place += 1) set.add(place);
    expect(runsOf(set)).toEqual([[first, next]]);
    set.add(next + 1);
    set.add(next + 200);
    expect(runsOf(set)).toEqual([
      [first, next],
      [next + 1, next + 2],
      [next + 200, next + 201],
    ]);
  });

  it('takes places below the first, and has none outside of its words', () => {
    const set = new PlaceSet();
    const added = [1000, 999, 967, 0];
    expect([...added, ...added].map((place) => set.add(place))).toEqual([
      ...added.map(() => true),
      ...added.map(() => false),
    ]);
    expect([0, 1, 968, 999, 1000, 1001, 1023, 1024, 5000].filter((place) => set.has(place))).toEqual([0, 999, 1000]);
    const high = new PlaceSet();
    high.add(640);
    expect([0, 608, 639, 641, 703, 704, 2 ** 40].some((place) => high.has(place))).toBe(false);
  });
});
