import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Watermark } from '../../src/offsets/watermark.js';
import { keptBy } from '../support/heap.js';

/** The rule in its plainest form: an array of flags. */
class Model {
  readonly offsets: number[] = [];
  readonly acked: boolean[] = [];
  end: number;
  constructor(start: number) {
    this.end = start;
  }
  add(offset: number) {
    this.offsets.push(offset);
    this.acked.push(false);
    this.end = offset + 1;
  }
  ack(first: number, next: number) {
    let fresh = 0;
    for (let seq = Math.max(0, first); seq < Math.min(next, this.acked.length); seq += 1) {
      if (!this.acked[seq]) fresh += 1;
      this.acked[seq] = true;
    }
    return fresh;
  }
  get offset() {
    const seq = this.acked.indexOf(false);
    return seq < 0 ? this.end : (this.offsets[seq] as number);
  }
}

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      count: fc.integer({ min: 1, max: 200 }),
      gap: fc.integer({ min: 0, max: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('ack' as const),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.integer({ min: 1, max: 150 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('ackFirst' as const), length: fc.integer({ min: 1, max: 300 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('readUpTo' as const), gap: fc.integer({ min: 0, max: 5 }) }) },
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function agree(
  steps: readonly Step[],
  start: number,
  make: (start: number) => Pick<Watermark, 'add' | 'ack' | 'readUpTo' | 'offset' | 'unacked'>,
) {
  const mark = make(start);
  const model = new Model(start);
  for (const one of steps) {
    if (one.kind === 'add') {
      let offset = model.end + one.gap;
      for (let i = 0; i < one.count; i += 1) {
        if (mark.add(offset) !== model.offsets.length) return false;
        model.add(offset);
        offset += 1 + (one.gap > 1 && i % 7 === 0 ? one.gap : 0);
      }
    } else if (one.kind === 'readUpTo') {
      mark.readUpTo(model.end + one.gap);
      model.end += one.gap;
    } else {
      const first =
        one.kind === 'ackFirst' ? Math.max(0, model.acked.indexOf(false)) : Math.floor(one.at * model.acked.length);
      if (mark.ack(first, first + one.length) !== model.ack(first, first + one.length)) return false;
    }
    if (mark.offset !== model.offset) return false;
    if (mark.unacked !== model.acked.filter((acked) => !acked).length) return false;
  }
  return true;
}

describe('Watermark', () => {
  it('is the first offset not acked, in order of arrival, whatever the order of acks and the gaps', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat({ max: 2 ** 45 }), (steps, start) =>
        agree(steps, start, (from) => new Watermark(from)),
      ),
      { numRuns: 1000 },
    );
  });

  it('would be caught computing the next offset by adding one to the last acked', () => {
    class Naive {
      offset: number;
      unacked = 0;
      #offsets: number[] = [];
      constructor(start: number) {
        this.offset = start;
      }
      add(offset: number) {
        this.unacked += 1;
        return this.#offsets.push(offset) - 1;
      }
      ack(first: number, next: number) {
        for (let seq = first; seq < next; seq += 1) this.offset = Math.max(this.offset, (this.#offsets[seq] ?? -1) + 1);
        return next - first;
      }
      readUpTo() {}
    }
    const check = fc.check(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => agree(steps, 0, (from) => new Naive(from))),
      { numRuns: 1000 },
    );
    expect(check.failed).toBe(true);
  });

  it('keeps a bit a record: ten million unacked records take a few megabytes', () => {
    const mark = new Watermark(0);
    for (let offset = 0; offset < 10_000_000; offset += 1) mark.add(offset);
    const before = process.memoryUsage().arrayBuffers;
    mark.ack(5_000_000, 10_000_000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
    expect(mark.offset).toBe(0);
    mark.ack(0, 5_000_000);
    expect(mark.offset).toBe(10_000_000);
    expect(mark.unacked).toBe(0);
  });

  it('says which sequence numbers are acked and how far it is behind the newest', () => {
    const mark = new Watermark(100);
    for (const offset of [100, 101, 105, 106]) mark.add(offset);
    mark.ack(0, 1);
    mark.ack(2, 3);
    expect([0, 1, 2, 3, 4].map((seq) => mark.isAcked(seq))).toEqual([true, false, true, false, false]);
    expect([mark.span, mark.unacked, mark.offset]).toEqual([3, 2, 101]);
    mark.ack(1, 2);
    expect([mark.span, mark.unacked, mark.offset]).toEqual([1, 1, 106]);
  });

  it('gives the offset of each sequence number from the watermark on, and the end of what was read behind the last', () => {
    const mark = new Watermark(7);
    const offsets = [7, 8, 12, 13, 14, 30, 40, 41];
    for (const offset of offsets) mark.add(offset);
    mark.readUpTo(50);
    for (let acked = 0; acked <= offsets.length; acked += 1) {
      mark.ack(0, acked);
      const seqs = offsets.map((_, seq) => seq).slice(acked);
      expect(seqs.map((seq) => mark.offsetOf(seq))).toEqual(offsets.slice(acked));
      expect([...seqs, 8].map((seq) => mark.offsetFrom(seq))).toEqual([...offsets.slice(acked), 50]);
    }
  });

  it('says where a stretch without records began that ends at its offset', () => {
    const mark = new Watermark(10);
    mark.readUpTo(20);
    expect([mark.emptyFrom, mark.offset]).toEqual([10, 20]);
    mark.add(25);
    mark.readUpTo(40);
    expect([mark.emptyFrom, mark.offset]).toEqual([25, 25]);
    mark.ack(0, 1);
    expect([mark.emptyFrom, mark.offset]).toEqual([26, 40]);
    const fromZero = new Watermark(0);
    fromZero.readUpTo(5);
    expect([fromZero.emptyFrom, fromZero.offset]).toEqual([0, 5]);
    const unknown = new Watermark(-1);
    unknown.readUpTo(5);
    expect([unknown.emptyFrom, unknown.offset]).toEqual([5, 5]);
  });

  it('never goes back: neither to less than was read, nor to before its start', () => {
    const mark = new Watermark(10);
    mark.readUpTo(5);
    expect(mark.offset).toBe(10);
    mark.readUpTo(20);
    mark.add(15);
    mark.ack(0, 1);
    expect(mark.offset).toBe(20);
    mark.add(20);
    mark.ack(1, 2);
    expect(mark.offset).toBe(21);
  });

  it('keeps nothing a record where offsets have no gaps, and forgets the gaps that the watermark has passed', () => {
    const count = 500_000;
    expect(
      keptBy(() => {
        const mark = new Watermark(0);
        for (let offset = 0; offset < count; offset += 1) mark.add(offset);
        return mark;
      }),
    ).toBeLessThan(count);
    expect(
      keptBy(() => {
        const mark = new Watermark(0);
        for (let seq = 0; seq < count; seq += 1) {
          mark.add(seq * 3);
          mark.ack(seq, seq + 1);
        }
        return mark;
      }),
    ).toBeLessThan(count);
  });
});

describe('acks one by one over offsets with a gap behind each', () => {
  it('cost the same however many are out', () => {
    const costOf = (out: number) => {
      const watermark = new Watermark(0);
      for (let at = 0; at < out; at += 1) watermark.add(at * 2);
      const from = performance.now();
      for (let at = 0; at < 3_000; at += 1) {
        watermark.ack(at, at + 1);
        watermark.add((out + at) * 2);
      }
      expect(watermark.offset).toBe(6_000);
      return performance.now() - from;
    };
    costOf(5_000);
    // Moving all that is out at each ack took 400 ms.
    expect(Math.min(costOf(400_000), costOf(400_000))).toBeLessThan(100);
  });
});
