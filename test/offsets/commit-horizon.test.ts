import { describe, expect, it } from '@jest/globals';
import { CommitHorizon } from '../../src/offsets/commit-horizon.js';
import { Watermark } from '../../src/offsets/watermark.js';

function horizonOver(...offsets: number[]) {
  const watermark = new Watermark(0);
  for (const offset of offsets) watermark.add(offset);
  const waiting: number[] = [];
  const resumeFrom = (() => []) as never;
  const horizon: CommitHorizon = new CommitHorizon(watermark, { resumeFrom, lookup: new Map(), start: 12 }, () =>
    waiting.push(horizon.isAwaited ? 1 : 0),
  );
  const awaited = (offset: number) => {
    const seen: string[] = [];
    const subscription = horizon.reached(offset).subscribe({
      error: ({ code, details }: { code: string; details: unknown }) => seen.push(`${code} ${JSON.stringify(details)}`),
      complete: () => seen.push('reached'),
    });
    return { seen, subscription };
  };
  return { watermark, horizon, waiting, awaited, resumeFrom };
}

describe('how far everything is acked or held', () => {
  it('goes by offsets, over gaps, ahead of the watermark; and keeps what the ledger said', () => {
    const { horizon, watermark, resumeFrom } = horizonOver(0, 1, 5, 9);
    expect([horizon.resumeFrom, horizon.start, horizon.horizon]).toEqual([resumeFrom, 12, 0]);
    horizon.cover(1, 2);
    expect(horizon.horizon).toBe(0);
    horizon.cover(0, 1);
    expect([horizon.horizon, watermark.offset]).toEqual([5, 0]);
    horizon.cover(2, 4);
    expect(horizon.horizon).toBe(10);
    watermark.readUpTo(20);
    expect(horizon.horizon).toBe(20);
  });

  it('never goes past what was nacked, the lowest of it', () => {
    const { horizon } = horizonOver(0, 1, 2, 3);
    horizon.nack(3);
    horizon.nack(1);
    horizon.nack(2);
    horizon.cover(0, 4);
    expect(horizon.horizon).toBe(1);
  });

  it('tells when it is there: at once, when more is covered, when the log was read further', () => {
    const { horizon, watermark, waiting, awaited } = horizonOver(0, 1, 5);
    expect(awaited(0).seen).toEqual(['reached']);
    expect([waiting, horizon.isAwaited]).toEqual([[], false]);
    const [five, eight] = [awaited(5), awaited(8)];
    expect([waiting, horizon.isAwaited]).toEqual([[1, 1], true]);
    horizon.cover(0, 1);
    expect(five.seen).toEqual([]);
    horizon.cover(1, 2);
    expect([five.seen, eight.seen, horizon.isAwaited]).toEqual([['reached'], [], true]);
    horizon.cover(2, 3);
    expect(eight.seen).toEqual([]);
    watermark.readUpTo(8);
    horizon.readFurther();
    expect([eight.seen, horizon.isAwaited]).toEqual([['reached'], false]);
    expect(waiting.at(-1)).toBe(0);
  });

  it('tells at once that it never will, where something before was nacked; and forgets who left', () => {
    const { horizon, awaited } = horizonOver(0, 1, 2);
    const [one, two, left] = [awaited(1), awaited(2), awaited(3)];
    left.subscription.unsubscribe();
    horizon.nack(1);
    const nacked = 'RXF_SINK_STOPPED {"offset":1}';
    expect([one.seen, two.seen, left.seen]).toEqual([[], [nacked], []]);
    expect(awaited(3).seen).toEqual([nacked]);
    horizon.cover(0, 1);
    expect(one.seen).toEqual(['reached']);
    expect(horizon.isAwaited).toBe(false);
    let message = '';
    horizon.reached(3).subscribe({ error: (error: Error) => (message = error.message) });
    expect(message).toBe('Offset 1, which precedes this commit, was nacked; everything from there on is redelivered.');
  });
});
