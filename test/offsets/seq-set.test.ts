import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SeqSet } from '../../src/offsets/seq-set.js';

function runsOf(set: SeqSet): [number, number][] {
  const runs: [number, number][] = [];
  set.forEachRun((first, next) => runs.push([first, next]));
  return runs;
}

describe('SeqSet', () => {
  it('gives the unbroken runs of what was added, in any order of adding', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 })), fc.nat({ max: 2 ** 40 }), (offsets, base) => {
        const set = new SeqSet();
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
        expect(all.filter((seq) => set.has(seq))).toEqual(all.filter((seq) => model.has(seq)));
      }),
      { numRuns: 500 },
    );
  });

  it('joins neighbours into one run across words', () => {
    const set = new SeqSet();
    for (let seq = 30; seq < 200; seq += 1) set.add(seq);
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
  ])('gives one run of [%i, %i), with its number 0 and whole words', (first, next) => {
    const set = new SeqSet();
    for (let seq = first; seq < next; seq += 1) set.add(seq);
    expect(runsOf(set)).toEqual([[first, next]]);
    set.add(next + 1);
    set.add(next + 200);
    expect(runsOf(set)).toEqual([
      [first, next],
      [next + 1, next + 2],
      [next + 200, next + 201],
    ]);
  });

  it('takes numbers below the first, and has none outside of its words', () => {
    const set = new SeqSet();
    const added = [1000, 999, 967, 0];
    expect([...added, ...added].map((seq) => set.add(seq))).toEqual([
      ...added.map(() => true),
      ...added.map(() => false),
    ]);
    expect([0, 1, 968, 999, 1000, 1001, 1023, 1024, 5000].filter((seq) => set.has(seq))).toEqual([0, 999, 1000]);
    const high = new SeqSet();
    high.add(640);
    expect([0, 608, 639, 641, 703, 704, 2 ** 40].some((seq) => high.has(seq))).toBe(false);
  });
});
