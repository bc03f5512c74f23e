import { describe, expect, it } from '@jest/globals';
import { OptionalAckers } from '../../src/delivery/optional-acker.js';
import { callAcker, resumeTracker } from '../support/call-acker.js';

describe('OptionalAckers', () => {
  it.each([true, false, undefined])('shows whether it is of one stream, and no ledger: %s', (isMixed) => {
    const facts = isMixed === undefined ? { resumeTracker } : { resumeTracker, isMixed };
    const { acker } = new OptionalAckers({ count: 1, bytes: 9 }, () => undefined).spare(callAcker(facts).at(0));
    expect([acker.isMixed, acker.resumeTracker]).toEqual([isMixed === true, undefined]);
  });

  it('counts each delivery once, until it is done with, and touches nothing else', () => {
    const { calls, at } = callAcker();
    const nacked: unknown[] = [];
    const spares = new OptionalAckers({ count: 2, bytes: 99 }, (cause) => nacked.push(cause));
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
    expect([spares.isFull, nacked, calls]).toEqual([false, ['no'], []]);
  });
});
