import { describe, expect, it } from '@jest/globals';
import type { Delivery } from '../../src/delivery/delivery.js';
import { FanOutAckers } from '../../src/delivery/fan-out-acker.js';
import { callAcker, resumeTracker } from '../support/call-acker.js';

const share = (delivery: Delivery<number>) =>
  new FanOutAckers(2).share(delivery) as [Delivery<number>, Delivery<number>];

describe('FanOutAckers', () => {
  it.each([true, false, undefined])('shows each party whether it is of one stream: %s', (isMixed) => {
    const parties = share(callAcker(isMixed === undefined ? {} : { isMixed }).at(0));
    expect(parties.map(({ acker }) => acker.isMixed)).toEqual([isMixed === true, isMixed === true]);
  });

  it('is held once all parties hold it', () => {
    const { calls, at } = callAcker({ resumeTracker });
    const [one, two] = share(at(4));
    one.acker.hold(4, 5);
    one.acker.hold(4, 5);
    expect(calls).toEqual([]);
    two.acker.hold(4, 5);
    expect(calls).toEqual([['hold', 4, 5]]);
  });

  it('is held and released when one party has acked it and the other holds, or releases, it', () => {
    const { calls, at } = callAcker({ resumeTracker });
    const [one, two] = share(at(4));
    one.ack();
    two.acker.hold(4, 5);
    two.release();
    expect(calls).toEqual([
      ['hold', 4, 5],
      ['release', 4, 5],
    ]);
    two.ack();
    expect(calls.at(-1)).toEqual(['ack', 4, 5]);
  });

  it('is never held where the stream is not read again from where a ledger says', () => {
    const { calls, at } = callAcker();
    for (const { acker } of share(at(4))) acker.hold(4, 5);
    expect(calls).toEqual([]);
  });
});
