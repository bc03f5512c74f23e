import { describe, expect, it } from '@jest/globals';
import { Reach } from '../../src/core/reach.js';
import { Watermark } from '../../src/core/watermark.js';

function reachOver(...offsets: number[]) {
  const watermark = new Watermark(0);
  for (const offset of offsets) watermark.add(offset);
  const waiting: number[] = [];
  const resumeFrom = (() => []) as never;
  const reach: Reach = new Reach(watermark, { resumeFrom, answer: new Map(), start: 12 }, () =>
    waiting.push(reach.isAwaited ? 1 : 0),
  );
  const awaited = (offset: number) => {
    const seen: string[] = [];
    const subscription = reach.reached(offset).subscribe({
      error: ({ code, details }: { code: string; details: unknown }) => seen.push(`${code} ${JSON.stringify(details)}`),
      complete: () => seen.push('reached'),
    });
    return { seen, subscription };
  };
  return { watermark, reach, waiting, awaited, resumeFrom };
}

describe('how far everything is acked or held', () => {
  it('goes by offsets, over gaps, ahead of the watermark; and keeps what the ledger said', () => {
    const { reach, watermark, resumeFrom } = reachOver(0, 1, 5, 9);
    expect([reach.resumeFrom, reach.start, reach.reach]).toEqual([resumeFrom, 12, 0]);
    reach.cover(1, 2);
    expect(reach.reach).toBe(0);
    reach.cover(0, 1);
    expect([reach.reach, watermark.offset]).toEqual([5, 0]);
    reach.cover(2, 4);
    expect(reach.reach).toBe(10);
    watermark.readUpTo(20);
    expect(reach.reach).toBe(20);
  });

  it('never goes past what was refused, the lowest of it', () => {
    const { reach } = reachOver(0, 1, 2, 3);
    reach.refuse(3);
    reach.refuse(1);
    reach.refuse(2);
    reach.cover(0, 4);
    expect(reach.reach).toBe(1);
  });

  it('tells when it is there: at once, when more is covered, when the log was read further', () => {
    const { reach, watermark, waiting, awaited } = reachOver(0, 1, 5);
    expect(awaited(0).seen).toEqual(['reached']);
    expect([waiting, reach.isAwaited]).toEqual([[], false]);
    const [five, eight] = [awaited(5), awaited(8)];
    expect([waiting, reach.isAwaited]).toEqual([[1, 1], true]);
    reach.cover(0, 1);
    expect(five.seen).toEqual([]);
    reach.cover(1, 2);
    expect([five.seen, eight.seen, reach.isAwaited]).toEqual([['reached'], [], true]);
    reach.cover(2, 3);
    expect(eight.seen).toEqual([]);
    watermark.readUpTo(8);
    reach.readFurther();
    expect([eight.seen, reach.isAwaited]).toEqual([['reached'], false]);
    expect(waiting.at(-1)).toBe(0);
  });

  it('tells at once that it never will, where something before was refused; and forgets who left', () => {
    const { reach, awaited } = reachOver(0, 1, 2);
    const [one, two, left] = [awaited(1), awaited(2), awaited(3)];
    left.subscription.unsubscribe();
    reach.refuse(1);
    const refused = 'RXF_SINK_STOPPED {"offset":1}';
    expect([one.seen, two.seen, left.seen]).toEqual([[], [refused], []]);
    expect(awaited(3).seen).toEqual([refused]);
    reach.cover(0, 1);
    expect(one.seen).toEqual(['reached']);
    expect(reach.isAwaited).toBe(false);
    let message = '';
    reach.reached(3).subscribe({ error: (error: Error) => (message = error.message) });
    expect(message).toBe('Offset 1, which belongs before this commit, was refused; what is behind it comes again.');
  });
});
