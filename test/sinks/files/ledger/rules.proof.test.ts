import { describe, expect, it } from '@jest/globals';
import { LEDGER_RULES, type LedgerRules } from '../../../../src/sinks/files/ledger/rules.js';
import { type BuildCollector, proveExactlyOnce } from '../../../../src/testing/index.js';
import { CHAT, FOLDING, plain, UNRULY, unruly } from '../trial-flows.js';

describe('each rule of the ledger', () => {
  const duplicates: Readonly<Record<string, Partial<LedgerRules>>> = {
    'takes an entry that stands for its own': {
      outcomeOf: ({ listed, ours }) => (listed.some((from) => from > ours.from) ? 'overtaken' : 'committed'),
    },
    'does not look whether later entries stand': {
      outcomeOf: ({ ours, existing }) => {
        if (existing === null) return 'unknown';
        return existing.writer === ours.writer ? 'committed' : 'fenced';
      },
    },
    'removes its files though the commit was sent': { mayDropOwn: () => true },
    'removes temporary files that may still be committed': { mayRemove: () => true },
    'does not finish what another has committed': { toFinish: () => [] },
    'resumes where the newest entry begins': { resumeAt: ({ from }) => from },
    'folds the newest entry away too': { toFold: (listed) => listed },
    'ends an entry behind what the next segment has begun': { endOf: ({ cut }) => cut + 1 },
  };

  const fails = (build: BuildCollector, options = {}) =>
    expect(() =>
      proveExactlyOnce(build, CHAT, { schedules: 3_000, singleFaults: 'none', maxFaults: 6, seed: 9, ...options }),
    ).toThrow(/Not exactly once/);

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
    proveExactlyOnce(unruly(LEDGER_RULES, firstIsLate), CHAT, {
      ...UNRULY,
      schedules: 200,
      singleFaults: 'none',
    });
  });
});
