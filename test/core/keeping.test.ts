import { describe, expect, it } from '@jest/globals';
import type { Delivery } from '../../src/core/delivery.js';
import { Keeping, type KeepingOptions } from '../../src/core/keeping.js';
import { callDuty, replay } from '../support/call-duty.js';

function setting(facts: Parameters<typeof callDuty>[0] = {}, options: Partial<KeepingOptions<number>> = {}) {
  const inner = callDuty(facts);
  const taken = new Map<number, Delivery<number>>();
  let emptied = 0;
  const keeping = new Keeping<number>({
    takeOver: (delivery) => taken.set(delivery.place, delivery) === taken,
    emptied: () => {
      emptied += 1;
    },
    replay: 'shown',
    ...options,
  });
  const keep = (...places: number[]) => places.map((place) => keeping.keep(inner.at(place))).at(-1) as Delivery<number>;
  return { calls: inner.calls, taken, keeping, keep, emptied: () => emptied };
}

describe('Keeping', () => {
  it.each([true, false, undefined])('shows whether it is of one stream: %s', (isMixed) => {
    expect(setting(isMixed === undefined ? {} : { isMixed }).keep(0).duty.isMixed).toBe(isMixed === true);
  });

  it('keeps each delivery once, and says once that nothing is kept any more', () => {
    const { keep, keeping, emptied } = setting();
    const one = keep(1, 1, 2);
    expect(keeping.size).toBe(2);
    one.release();
    expect([keeping.size, emptied()]).toEqual([1, 0]);
    one.duty.ack(1, 2);
    expect([keeping.size, emptied()]).toEqual([0, 1]);
    one.duty.ack(1, 3);
    one.nack('late');
    expect([keeping.size, emptied()]).toEqual([0, 1]);
  });

  it.each([
    [10, 12],
    [10, 1_000],
    [9, 13],
  ])('forgets just what is in the run [%i, %i), whichever is less is looked through', (first, next) => {
    const { keep, keeping, taken } = setting();
    const inside = [10, 11, 12, 13].filter((place) => place < next);
    const outside = [8, 13, 1_000].filter((place) => place < first || place >= next);
    const one = keep(...inside, ...outside);
    one.duty.ack(first, next);
    expect(keeping.size).toBe([...new Set([...inside, ...outside])].filter((at) => at < first || at >= next).length);
    one.duty.nack(0, 5_000, 'no');
    expect([...taken.keys()].sort((a, b) => a - b)).toEqual(outside);
  });

  it('leaves out of a run what was taken over, in order, and settles that as its taker does', () => {
    const { keep, calls, taken } = setting();
    const one = keep(1, 2, 3, 4, 5, 6, 7, 20);
    for (const place of [20, 6, 3, 7]) one.duty.nack(place, place + 1, 'no');
    expect(calls).toEqual([]);
    one.duty.ack(1, 9);
    expect(calls.splice(0)).toEqual([
      ['ack', 1, 3],
      ['ack', 4, 6],
      ['ack', 8, 9],
    ]);
    one.duty.release(3, 8);
    expect(calls.splice(0)).toEqual([['release', 4, 6]]);
    one.duty.ack(6, 8);
    one.duty.ack(3, 4);
    expect(calls).toEqual([]);
    one.duty.ack(8, 20);
    one.duty.ack(21, 23);
    expect(calls.splice(0)).toEqual([
      ['ack', 8, 20],
      ['ack', 21, 23],
    ]);
    taken.get(3)?.release();
    taken.get(3)?.ack();
    taken.get(6)?.nack('again');
    expect(calls).toEqual([
      ['release', 3, 4],
      ['ack', 3, 4],
      ['nack', 6, 7, 'again'],
    ]);
  });

  it.each([
    [
      'shown',
      [
        ['hold', 1, 2],
        ['hold', 2, 3],
      ],
    ],
    ['hidden', []],
  ] as const)('with the ledger %s tells the source of what is held, also of what was taken over', (shown, expected) => {
    const { keep, calls, taken } = setting({ replay }, { replay: shown });
    const one = keep(1, 2);
    one.duty.hold(1, 2);
    one.nack('no');
    one.duty.hold(2, 3);
    taken.get(2)?.duty.hold(2, 3);
    expect(calls).toEqual(expected);
  });
});
