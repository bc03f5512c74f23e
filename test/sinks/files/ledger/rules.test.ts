import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { COMMIT_RULES } from '../../../../src/lifecycle/commit-gate.js';
import type { LedgerEntry } from '../../../../src/sinks/files/ledger/entry.js';
import { LEDGER_RULES as rules } from '../../../../src/sinks/files/ledger/rules.js';

const entry = (writer: string, from: number, next: number): LedgerEntry => ({
  writer,
  stream: 'kafka:chat/0',
  from,
  next,
  files: [],
});
const ours = entry('us-1', 10, 20);

describe('the rules of the ledger', () => {
  it('are those of every commit, and more', () => {
    expect(rules).toMatchObject(COMMIT_RULES);
  });

  it('judge a commit by what exists, not by the answer', () => {
    const outcome = (existing: LedgerEntry | null, listed: number[]) => rules.outcomeOf({ ours, existing, listed });
    expect(outcome(ours, [0, 10])).toBe('committed');
    expect(outcome(entry('others-1', 10, 15), [0, 10])).toBe('fenced');
    expect(outcome(entry('others-1', 10, 15), [0, 10, 15])).toBe('fenced');
    expect(outcome(ours, [10, 40])).toBe('overtaken');
    expect(outcome(null, [0, 40])).toBe('overtaken');
    expect(outcome(null, [0])).toBe('unknown');
    expect(outcome(null, [])).toBe('unknown');
  });

  it('remove nothing that may still be committed', () => {
    expect(rules.mayRemove(10, 10)).toBe(true);
    expect(rules.mayRemove(9, 10)).toBe(true);
    expect(rules.mayRemove(11, 10)).toBe(false);
    expect(rules.mayDropOwn({ isCommitSent: false })).toBe(true);
    expect(rules.mayDropOwn({ isCommitSent: true })).toBe(false);
  });

  it('fold the oldest, a bounded number at once, and never the newest', () => {
    // Distinct, and in no order; 10,007 is prime.
    const places = (count: number) => Array.from({ length: count }, (_, n) => (n * 7_919) % 10_007);
    fc.assert(
      fc.property(fc.nat({ max: 500 }), (count) => {
        const listed = places(count);
        const folded = rules.toFold(listed);
        expect(folded).toHaveLength(Math.min(100, Math.max(0, count - 100)));
        const kept = listed.filter((from) => !folded.includes(from));
        expect(kept).toHaveLength(count - folded.length);
        if (folded.length > 0) expect(Math.max(...folded)).toBeLessThan(Math.min(...kept));
      }),
    );
  });
});
