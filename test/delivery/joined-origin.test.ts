import { describe, expect, it } from '@jest/globals';
import type { Origin } from '../../src/delivery/delivery.js';
import { joinDeliveries } from '../../src/delivery/join.js';
import { JoinedOrigin } from '../../src/delivery/joined-origin.js';
import { positionBehindOffset, positionOf } from '../../src/delivery/origin-position.js';
import { splitDelivery } from '../../src/delivery/split.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';

const at = (offset: number, more: Partial<Origin> = {}): Origin => ({
  stream: 's',
  offset,
  epoch: 1,
  byteLength: 2,
  ...more,
});

function join(first: Origin, ...others: readonly Origin[]): Origin {
  const joined = new JoinedOrigin(first);
  for (const one of others) joined.add(one);
  return joined.origin;
}

describe('JoinedOrigin', () => {
  it('is the first, with the size of all and the highest offset of its stream', () => {
    const joined = join(
      at(7, { key: Buffer.from('k') }),
      at(9, { lastOffset: 12 }),
      at(80, { stream: 'other' }),
      at(8),
    );
    expect([joined.stream, joined.offset, joined.lastOffset, joined.byteLength]).toEqual(['s', 7, 12, 8]);
    expect(String(joined.key)).toBe('k');
  });

  it('is named by its range where that is an unbroken run of whole values, and by what is in it elsewhere', () => {
    expect(positionOf(join(at(7), at(8), at(9)))).toBe('7-9');
    expect(positionOf(join(at(7)))).toBe('7');
    expect(positionOf(join(at(7, { part: '2' })))).toBe('7.2');
    const others = [
      join(at(7), at(9)),
      join(at(7), at(8, { part: '0' }), at(9)),
      join(at(7), at(8, { part: '1' }), at(9)),
      join(at(7), at(8, { stream: 'other' }), at(9)),
      join(at(7), at(8, { stream: 'third' }), at(9)),
      join(at(7), at(9), at(8)),
      join(at(7, { part: '0' }), at(7, { part: '1' }), at(9)),
      join(join(at(7), at(8)), at(9)),
    ].map(positionOf);
    expect(new Set(others).size).toBe(others.length);
    for (const seq of others) expect(seq).toMatch(/^7(\.0)?-9~[0-9a-z]+$/);
  });

  it('is named the same by the same values', () => {
    const make = () => positionOf(join(at(7), at(2 ** 40), at(1, { stream: 'other' })));
    expect(make()).toBe(make());
    expect(positionOf(join(at(7), at(2 ** 40)))).not.toBe(positionOf(join(at(7), at(2 ** 40 + 2 ** 33))));
  });

  it('names the parts of one value, and what is joined of them, each otherwise', () => {
    const acker = new RecordingAcker();
    const [a, b, c] = splitDelivery(acker.deliver('abc', { offset: 4 }), ['a', 'b', 'c']);
    const all = [[a], [b], [a, b], [b, c], [a, c], [a, b, c]].map((parts) =>
      positionBehindOffset(joinDeliveries(parts as never[]).origin),
    );
    expect(new Set(all).size).toBe(all.length);
  });

  it('joins more than a call takes arguments', () => {
    const acker = new RecordingAcker();
    const one = acker.deliver('x');
    expect(joinDeliveries(Array.from({ length: 200_000 }, () => one)).value.length).toBe(200_000);
  });
});
