import { describe, expect, it } from '@jest/globals';
import { LEDGER_RULES } from '../../../src/sinks/files/ledger/rules.js';
import { proveExactlyOnce } from '../../../src/testing/index.js';
import { ANSWERED, CHAT, FOLDING, plain } from './trial-flows.js';

describe('a file sink with a ledger, whatever dies, sleeps, is late or is repeated', () => {
  it('stores each value once', () => {
    const report = proveExactlyOnce(plain(LEDGER_RULES), CHAT, { schedules: 500, seed: 4 });
    expect(report).toMatchObject({ lines: 18, commits: 'checked' });
    expect(report.schedules).toBeGreaterThan(1_500);
  });

  it('stores each value once though old entries are folded away at once', () => {
    expect(proveExactlyOnce(plain(FOLDING), CHAT, { schedules: 500, seed: 5 })).toMatchObject({ lines: 18 });
  });

  it('lets no partition wait for long once what went wrong is over', () => {
    const calm = { faults: ANSWERED, schedules: 200, seed: 12, maxWaitMs: 1_000 };
    const { longestWaitMs } = proveExactlyOnce(plain(LEDGER_RULES), CHAT, { ...calm, singleFaults: 'none' });
    expect(longestWaitMs).toBeGreaterThan(50);
  });
});
