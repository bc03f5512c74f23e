import { describe, expect, it } from '@jest/globals';
import { SpareDuties } from '../../src/core/spare-duty.js';
import { callDuty, replay } from '../support/call-duty.js';

describe('SpareDuties', () => {
  it.each([true, false, undefined])('shows whether it is of one stream, and no ledger: %s', (isMixed) => {
    const facts = isMixed === undefined ? { replay } : { replay, isMixed };
    const { duty } = new SpareDuties({ count: 1, bytes: 9 }, () => undefined).spare(callDuty(facts).at(0));
    expect([duty.isMixed, duty.replay]).toEqual([isMixed === true, undefined]);
  });

  it('counts each delivery once, until it is done with, and touches nothing else', () => {
    const { calls, at } = callDuty();
    const refused: unknown[] = [];
    const spares = new SpareDuties({ count: 2, bytes: 99 }, (cause) => refused.push(cause));
    const [first] = [spares.spare(at(0)), spares.spare(at(0))];
    expect(spares.isFull).toBe(false);
    const second = spares.spare(at(1));
    expect(spares.isFull).toBe(true);
    first?.ack();
    first?.ack();
    expect(spares.isFull).toBe(false);
    spares.spare(at(2));
    expect(spares.isFull).toBe(true);
    second.nack('no');
    expect([spares.isFull, refused, calls]).toEqual([false, ['no'], []]);
  });
});
