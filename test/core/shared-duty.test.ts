import { describe, expect, it } from '@jest/globals';
import type { Delivery } from '../../src/core/delivery.js';
import { SharedDuties } from '../../src/core/shared-duty.js';
import { callDuty, replay } from '../support/call-duty.js';

const share = (delivery: Delivery<number>) =>
  new SharedDuties(2).share(delivery) as [Delivery<number>, Delivery<number>];

describe('SharedDuties', () => {
  it.each([true, false, undefined])('shows each party whether it is of one stream: %s', (isMixed) => {
    const parties = share(callDuty(isMixed === undefined ? {} : { isMixed }).at(0));
    expect(parties.map(({ duty }) => duty.isMixed)).toEqual([isMixed === true, isMixed === true]);
  });

  it('is held once all parties hold it', () => {
    const { calls, at } = callDuty({ replay });
    const [one, two] = share(at(4));
    one.duty.hold(4, 5);
    one.duty.hold(4, 5);
    expect(calls).toEqual([]);
    two.duty.hold(4, 5);
    expect(calls).toEqual([['hold', 4, 5]]);
  });

  it('is held and released when one party has acked it and the other holds, or releases, it', () => {
    const { calls, at } = callDuty({ replay });
    const [one, two] = share(at(4));
    one.ack();
    two.duty.hold(4, 5);
    two.release();
    expect(calls).toEqual([
      ['hold', 4, 5],
      ['release', 4, 5],
    ]);
    two.ack();
    expect(calls.at(-1)).toEqual(['ack', 4, 5]);
  });

  it('is never held where the stream is not read again from where a ledger says', () => {
    const { calls, at } = callDuty();
    for (const { duty } of share(at(4))) duty.hold(4, 5);
    expect(calls).toEqual([]);
  });
});
