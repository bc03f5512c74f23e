import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NEVER, Subject } from 'rxjs';
import { BEHIND_MS, CommitGate, orderError, COMMIT_RULES as rules } from '../../src/lifecycle/commit-gate.js';
import { callAcker, resumeTracker } from '../support/call-acker.js';
import { inVirtualTime } from '../support/virtual-time.js';

const first = callAcker().at(7);

function gateAt(start: number | undefined) {
  const reached$ = new Subject<never>();
  const tracker = { ...resumeTracker, start, horizon: 0, reached: () => reached$ };
  return { gate: new CommitGate(first, tracker), tracker, reached$ };
}

describe('the rules of commits', () => {
  it('begin at 0 for every writer where nothing is committed, whatever it saw first', () => {
    expect(rules.startOf({ start: undefined, firstOffset: 7 })).toBe(0);
    expect(rules.startOf({ start: 12, firstOffset: 15 })).toBe(12);
  });

  it('wait for what lies before the cut, and for nothing behind it', () => {
    expect(rules.mustWait({ cut: 20, horizon: 19 })).toBe(true);
    expect(rules.mustWait({ cut: 20, horizon: 20 })).toBe(false);
  });

  it('end where the next begins, or as far as all is accounted for', () => {
    expect(rules.endOf({ cut: 20, horizon: 25, hasLater: true })).toBe(20);
    expect(rules.endOf({ cut: 20, horizon: 25, hasLater: false })).toBe(25);
    expect(rules.endOf({ cut: 20, horizon: 15, hasLater: false })).toBe(20);
  });
});

describe('CommitGate', () => {
  it('divides the stream without a gap, whatever is ended when', () => {
    const ending = fc.record({ values: fc.nat(5), done: fc.nat(5), hasLater: fc.boolean() });
    fc.assert(
      fc.property(fc.nat(100), fc.array(ending), (start, endings) => {
        const { gate, tracker } = gateAt(start);
        let from = gate.next;
        expect(from).toBe(start);
        for (const { values, done, hasLater } of endings) {
          const cut = from + values;
          void gate.end(cut);
          tracker.horizon = cut + done;
          const upTo = gate.commitUpTo(cut, hasLater);
          expect(upTo).toBe(hasLater ? cut : cut + done);
          expect(gate.next).toBe(upTo);
          from = gate.next;
        }
      }),
    );
  });

  it('is behind where values were dropped after the last commit', () => {
    const { gate, tracker } = gateAt(5);
    expect(gate.isBehind).toBe(false);
    tracker.horizon = 5;
    expect(gate.isBehind).toBe(false);
    tracker.horizon = 6;
    expect(gate.isBehind).toBe(true);
  });

  it('opens at once where all before the cut is accounted for, else when it is', () => {
    const { gate, tracker, reached$ } = gateAt(0);
    const seen: string[] = [];
    tracker.horizon = 9;
    gate.end(9).subscribe({ complete: () => seen.push('9') });
    gate.end(10).subscribe({ complete: () => seen.push('10') });
    expect(seen).toEqual(['9']);
    reached$.complete();
    expect(seen).toEqual(['9', '10']);
  });

  it('fails as the source does where a value before the cut is nacked', () => {
    const { gate, reached$ } = gateAt(0);
    const seen: unknown[] = [];
    gate.end(1).subscribe({ error: (error: unknown) => seen.push(error) });
    reached$.error('nacked');
    expect(seen).toEqual(['nacked']);
  });

  it('names the offset that it has waited for too long', () => {
    const seen: unknown[] = [];
    inVirtualTime((at) => {
      const gate = new CommitGate(first, { ...resumeTracker, horizon: 3, reached: () => NEVER });
      gate.end(10).subscribe({ error: (error: unknown) => seen.push(error) });
      at(BEHIND_MS - 1, () => expect(seen).toEqual([]));
    });
    expect(seen).toEqual([
      expect.objectContaining({
        code: 'RXF_LEDGER_BEHIND',
        details: { stream: 's', cut: 10, horizon: 3 },
        message: expect.stringMatching(/^s: a commit up to 10 .* offset 3, .*this sink.*`filter`.*redelivered\.$/),
      }),
    ]);
  });

  it('names the value that comes too late for its commit', () => {
    expect(orderError(first)).toMatchObject({
      code: 'RXF_LEDGER_ORDER',
      details: { stream: 's', offset: 7 },
      message: expect.stringMatching(/^s offset 7 came after .*joined from offsets .*`splitValue`.* out of order\.$/),
    });
  });
});
