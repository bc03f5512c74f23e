import { describe, expect, it } from '@jest/globals';
import { LEDGER_RULES } from '../../../src/sinks/files/ledger/rules.js';
import { proveExactlyOnce } from '../../../src/testing/index.js';
import { ANSWERED, CHAT, UNRULY, unruly } from './trial-flows.js';

describe('a file sink with a ledger, where values overtake one another', () => {
  it('stores each value once, and loses no dead letter', () => {
    const options = { ...UNRULY, schedules: 300, seed: 6 };
    expect(proveExactlyOnce(unruly(LEDGER_RULES), CHAT, options)).toMatchObject({ lines: 20 });
  });

  it('lets no partition wait for long once what went wrong is over', () => {
    const calm = { ...UNRULY, faults: ANSWERED, schedules: 200, seed: 12, maxWaitMs: 1_000 };
    const { longestWaitMs } = proveExactlyOnce(unruly(LEDGER_RULES), CHAT, { ...calm, singleFaults: 'none' });
    expect(longestWaitMs).toBeGreaterThan(50);
  });
});

describe('what a schedule has found once', () => {
  it.each([
    // A value of an epoch that was over came to the sink after those of the next, and ended that one's files.
    'seed 32 pace 0: expire after 37, join after 56',
    'seed 33 pace 3: expire after 40, join before 60',
    'seed 5 pace 9: stop before 61 30ms, late at 69 15ms, leave after 81',
  ])('%s', (replay) => {
    expect(proveExactlyOnce(unruly(LEDGER_RULES), CHAT, { ...UNRULY, replay })).toMatchObject({ schedules: 1 });
  });
});
