import { describe, expect, it } from '@jest/globals';
import { LEDGER_RULES, type LedgerRules } from '../../../src/sinks/files/ledger/rules.js';
import { type BuildCollector, proveExactlyOnce } from '../../../src/testing/index.js';
import { USUAL_FAULT_KINDS } from '../../../src/testing/proof/schedule.js';
import { CHAT, plain, UNRULY, unruly } from './trial-flows.js';

/** Old entries go at once, so that a writer that was overtaken finds its name free. */
const FOLDING: LedgerRules = { ...LEDGER_RULES, toFold: (listed) => [...listed].sort((a, b) => a - b).slice(0, -1) };

/** All but `hang`, after which a flow may take the minute that a commit has. */
const ANSWERED = USUAL_FAULT_KINDS.filter((kind) => kind !== 'hang');

describe('a file sink with a ledger, whatever dies, sleeps, is late or comes twice', () => {
  it('stores each value once', () => {
    const report = proveExactlyOnce(plain(LEDGER_RULES), CHAT, { schedules: 500, seed: 4 });
    expect(report).toMatchObject({ lines: 18, commits: 'checked' });
    expect(report.schedules).toBeGreaterThan(1_500);
  });

  it('stores each value once though old entries are folded away at once', () => {
    expect(proveExactlyOnce(plain(FOLDING), CHAT, { schedules: 500, seed: 5 })).toMatchObject({ lines: 18 });
  });

  it('lets no partition wait for long once what went wrong is over', () => {
    const calm = { faults: ANSWERED, singleFaults: 'none', schedules: 200, seed: 12, maxWaitMs: 1_000 } as const;
    expect(proveExactlyOnce(plain(LEDGER_RULES), CHAT, calm).longestWaitMs).toBeGreaterThan(50);
    expect(proveExactlyOnce(unruly(LEDGER_RULES), CHAT, { ...UNRULY, ...calm }).longestWaitMs).toBeGreaterThan(50);
  });

  it('stores each value once where values overtake one another, and loses no dead letter', () => {
    expect(proveExactlyOnce(unruly(LEDGER_RULES), CHAT, { ...UNRULY, schedules: 300, seed: 6 })).toMatchObject({
      lines: 20,
    });
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

describe('each rule of the ledger', () => {
  const duplicates: Readonly<Record<string, Partial<LedgerRules>>> = {
    'takes an entry that stands for its own': {
      outcomeOf: ({ listed, ours }) => (listed.some((from) => from > ours.from) ? 'overtaken' : 'committed'),
    },
    'does not look whether later entries stand': {
      outcomeOf: ({ ours, standing }) => {
        if (standing === null) return 'unknown';
        return standing.writer === ours.writer ? 'committed' : 'fenced';
      },
    },
    'removes its files though the commit was sent': { mayDropOwn: () => true },
    'removes temporary files that may still be committed': { mayRemove: () => true },
    'does not finish what another has committed': { toFinish: () => [] },
    'takes up where the newest entry begins': { resumeAt: ({ from }) => from },
    'folds the newest entry away too': { toFold: (listed) => listed },
    'ends an entry behind what the next segment has begun': { endOf: ({ cut }) => cut + 1 },
  };

  const fails = (build: BuildCollector, options = {}) =>
    expect(() => proveExactlyOnce(build, CHAT, { schedules: 3_000, seed: 7, ...options })).toThrow(/Not exactly once/);

  it.each(Object.entries(duplicates))('is needed: a duplicate that %s fails', (_, duplicate) => {
    fails(plain({ ...FOLDING, ...duplicate }));
  });

  it('is needed: a duplicate that does not wait for what lies before its commit fails', () => {
    fails(unruly({ ...LEDGER_RULES, mustWait: () => false }), UNRULY);
  });

  it('is needed: a duplicate that begins an empty ledger at the first offset it saw fails', () => {
    const firstIsLate = (n: number) => (n === 0 ? 40 : 1);
    const duplicate: LedgerRules = { ...LEDGER_RULES, startOf: ({ start, firstOffset }) => start ?? firstOffset };
    fails(unruly(duplicate, firstIsLate), UNRULY);
    proveExactlyOnce(unruly(LEDGER_RULES, firstIsLate), CHAT, { ...UNRULY, schedules: 200, singleFaults: 'none' });
  });
});
