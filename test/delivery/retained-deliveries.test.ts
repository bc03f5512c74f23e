import { describe, expect, it } from '@jest/globals';
import { EMPTY } from 'rxjs';
import type { Delivery } from '../../src/delivery/delivery.js';
import { RetainedDeliveries, type RetainedDeliveriesOptions } from '../../src/delivery/retained-deliveries.js';
import { callAcker, resumeTracker } from '../support/call-acker.js';

function setting(
  facts: Parameters<typeof callAcker>[0] = {},
  options: Partial<RetainedDeliveriesOptions<number>> = {},
) {
  const inner = callAcker(facts);
  const taken = new Map<number, Delivery<number>>();
  let emptied = 0;
  const retained = new RetainedDeliveries<number>({
    takeOver: (delivery) => taken.set(delivery.seq, delivery) === taken,
    emptied: () => {
      emptied += 1;
    },
    resumeTracker: 'shown',
    ...options,
  });
  const keep = (...seqs: number[]) => seqs.map((seq) => retained.keep(inner.at(seq))).at(-1) as Delivery<number>;
  return { calls: inner.calls, taken, retained, keep, emptied: () => emptied };
}

describe('RetainedDeliveries', () => {
  it.each([true, false, undefined])('shows whether it is of one stream: %s', (isMixed) => {
    expect(setting(isMixed === undefined ? {} : { isMixed }).keep(0).acker.isMixed).toBe(isMixed === true);
  });

  it('keeps each delivery once, and says once that nothing is kept any more', () => {
    const { keep, retained, emptied } = setting();
    const one = keep(1, 1, 2);
    expect(retained.size).toBe(2);
    one.release();
    expect([retained.size, emptied()]).toEqual([1, 0]);
    one.acker.ack(1, 2);
    expect([retained.size, emptied()]).toEqual([0, 1]);
    one.acker.ack(1, 3);
    one.nack('late');
    expect([retained.size, emptied()]).toEqual([0, 1]);
  });

  it.each([
    [10, 12],
    [10, 1_000],
    [9, 13],
  ])('forgets just what is in the run [%i, %i), whichever is less is looked through', (first, next) => {
    const { keep, retained, taken } = setting();
    const inside = [10, 11, 12, 13].filter((seq) => seq < next);
    const outside = [8, 13, 1_000].filter((seq) => seq < first || seq >= next);
    const one = keep(...inside, ...outside);
    one.acker.ack(first, next);
    expect(retained.size).toBe([...new Set([...inside, ...outside])].filter((at) => at < first || at >= next).length);
    one.acker.nack(0, 5_000, 'no');
    expect([...taken.keys()].sort((a, b) => a - b)).toEqual(outside);
  });

  it('leaves out of a run what was taken over, in order, and settles that as its taker does', () => {
    const { keep, calls, taken } = setting();
    const one = keep(1, 2, 3, 4, 5, 6, 7, 20);
    for (const seq of [20, 6, 3, 7]) one.acker.nack(seq, seq + 1, 'no');
    expect(calls).toEqual([]);
    one.acker.ack(1, 9);
    expect(calls.splice(0)).toEqual([
      ['ack', 1, 3],
      ['ack', 4, 6],
      ['ack', 8, 9],
    ]);
    one.acker.release(3, 8);
    expect(calls.splice(0)).toEqual([['release', 4, 6]]);
    one.acker.ack(6, 8);
    one.acker.ack(3, 4);
    expect(calls).toEqual([]);
    one.acker.ack(8, 20);
    one.acker.ack(21, 23);
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

  it('nacks with what the taker throws, and once the epoch is over asks no taker', () => {
    const { keep, calls } = setting(
      {},
      {
        takeOver: () => {
          throw 'taker';
        },
      },
    );
    keep(1).nack('no');
    expect(calls[0]).toEqual(['nack', 1, 2, 'taker']);
    const over = setting({ flush$: EMPTY });
    over.keep(1).nack('no');
    expect([over.taken.size, over.calls]).toEqual([0, [['nack', 1, 2, 'no']]]);
  });

  it('passes a run on whole again when what was taken over in it is settled', () => {
    const { keep, calls, taken } = setting();
    const one = keep(1, 2, 3);
    one.acker.nack(2, 3, 'no');
    taken.get(2)?.ack();
    calls.length = 0;
    one.acker.ack(1, 4);
    expect(calls).toEqual([['ack', 1, 4]]);
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
    const { keep, calls, taken } = setting({ resumeTracker }, { resumeTracker: shown });
    const one = keep(1, 2);
    one.acker.hold(1, 2);
    one.nack('no');
    one.acker.hold(2, 3);
    taken.get(2)?.acker.hold(2, 3);
    expect(calls).toEqual(expected);
  });
});
