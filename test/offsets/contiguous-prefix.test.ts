import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ContiguousPrefix } from '../../src/offsets/contiguous-prefix.js';

/** Where words of 32 bits, and the first room of 64 words, begin and end. */
const EDGES = [0, 1, 2, 31, 32, 33, 63, 64, 65, 1024, 2015, 2016, 2047, 2048, 2049, 4095, 4096, 4097];
const step = fc.record({ ahead: fc.constantFrom(0, 0, 0, ...EDGES), length: fc.constantFrom(...EDGES) });

/** The rule in its plainest form: a set of places. */
class Model {
  readonly marks = new Set<number>();
  end = 0;
  mark(first: number, next: number): number {
    const before = this.marks.size;
    for (let seq = first; seq < next; seq += 1) this.marks.add(seq);
    while (this.marks.has(this.end)) this.end += 1;
    return this.marks.size - before;
  }
}

describe('ContiguousPrefix', () => {
  it('knows its marks and where the unbroken run of them ends, over the edges of words and of its room', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), fc.nat({ max: 40 }), (steps, back) => {
        const prefix = new ContiguousPrefix();
        const model = new Model();
        const asked = new Set<number>();
        for (const { ahead, length } of steps) {
          const first = Math.max(0, model.end + ahead - back);
          const next = first + length;
          expect(prefix.mark(first, next)).toBe(model.mark(first, next));
          expect(prefix.end).toBe(model.end);
          for (const edge of [first, next, model.end])
            for (const near of [-33, -32, -1, 0, 1, 31, 32, 33, 2048]) if (edge + near >= 0) asked.add(edge + near);
          const seqs = [...asked];
          expect(seqs.filter((seq) => prefix.has(seq))).toEqual(seqs.filter((seq) => model.marks.has(seq)));
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each([2047, 2048, 2049])('takes number %i, at the edge of its first room', (seq) => {
    const prefix = new ContiguousPrefix();
    expect(prefix.mark(seq, seq + 1)).toBe(1);
    expect([seq - 1, seq, seq + 1].map((at) => prefix.has(at))).toEqual([false, true, false]);
    expect(prefix.mark(0, seq)).toBe(seq);
    expect(prefix.end).toBe(seq + 1);
  });

  it('has no mark beyond its room, nor takes one from before it was moved', () => {
    const prefix = new ContiguousPrefix();
    expect([0, 2047, 2048, 1_000_000].some((seq) => prefix.has(seq))).toBe(false);
    prefix.mark(0, 2048);
    prefix.mark(2050, 2051);
    expect([2047, 2048, 2049, 2050, 2051, 4098].map((seq) => prefix.has(seq))).toEqual([
      true,
      false,
      false,
      true,
      false,
      false,
    ]);
  });

  it('marks nothing where the run of numbers is empty or marked before', () => {
    const prefix = new ContiguousPrefix();
    expect(prefix.mark(0, 0)).toBe(0);
    expect([prefix.mark(5, 5), prefix.mark(0, 3), prefix.mark(1, 3), prefix.mark(0, 4)]).toEqual([0, 3, 0, 1]);
    expect(prefix.end).toBe(4);
  });

  it('keeps its room where marks come close behind the run', () => {
    const before = process.memoryUsage().arrayBuffers;
    const all = Array.from({ length: 50 }, () => {
      const prefix = new ContiguousPrefix();
      for (let seq = 0; seq < 200_000; seq += 100) prefix.mark(seq, seq + 100);
      return prefix;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * 4096);
    expect(all.map(({ end }) => end)).toEqual(all.map(() => 200_000));
  });
});
