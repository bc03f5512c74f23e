import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OptionError } from '../../../src/core/errors.js';
import { everySingleFault, randomSchedule, shrunk } from '../../../src/testing/proof/plan.js';
import {
  FAULT_KINDS,
  FAULTS,
  type Fault,
  faultInWords,
  inOrder,
  parseSchedule,
  printSchedule,
  type Schedule,
  strikes,
  type Verb,
} from '../../../src/testing/proof/schedule.js';

const fault: fc.Arbitrary<Fault> = fc.constantFrom(...FAULT_KINDS).chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    when: fc.constantFrom(...FAULTS[kind].whens),
    step: fc.integer({ min: 1, max: 9_999 }),
    ms: FAULTS[kind].hasMs ? fc.integer({ min: 0, max: 9_999 }) : fc.constant(0),
  }),
);
const schedule: fc.Arbitrary<Schedule> = fc.record({
  seed: fc.nat(),
  pace: fc.integer({ min: 0, max: 9 }),
  faults: fc.array(fault, { maxLength: 5 }).map(inOrder),
});
const STEPS: readonly Verb[] = [
  'connect',
  'assigned',
  'records',
  'list',
  'write',
  'close',
  'rename',
  'commit',
  'leave',
];
const FROM = { seed: 1, maxFaults: 3 };

describe('the text of a schedule', () => {
  it('is read as it was printed', () => {
    fc.assert(fc.property(schedule, (one) => expect(parseSchedule(printSchedule(one))).toEqual(one)));
  });

  it('is one that a person can read and write', () => {
    const text = 'seed 7 pace 2: crash before 17, late at 23 120ms, stop after 30 400ms';
    expect(parseSchedule(text).faults).toEqual([
      { kind: 'crash', when: 'before', step: 17, ms: 0 },
      { kind: 'late', when: 'at', step: 23, ms: 120 },
      { kind: 'stop', when: 'after', step: 30, ms: 400 },
    ]);
    expect(printSchedule(parseSchedule(text))).toBe(text);
    expect(printSchedule({ seed: 1, pace: 0, faults: [] })).toBe('seed 1 pace 0: no fault');
  });

  it.each([
    '',
    'crash before 17',
    'seed 1 pace 0: ',
    'seed 1 pace 0: crash at 17',
    'seed 1 pace 0: crash before 17 40ms',
    'seed 1 pace 0: late at 17',
    'seed 1 pace 0: burn before 17',
    'seed 1 pace 0: toString before 17',
  ])('is rejected where it says nothing: %j', (text) => {
    expect(() => parseSchedule(text)).toThrow(OptionError);
  });

  it('is put into words, each kind of fault', () => {
    const words = FAULT_KINDS.map((kind) =>
      faultInWords({ kind, when: FAULTS[kind].whens[0] ?? 'at', step: 17, ms: 60 }, 'rename /a -> /b'),
    );
    expect(words[0]).toBe('crash before step 17 (rename /a -> /b)');
    expect(words.every((one) => one.includes('step 17 (rename /a -> /b)'))).toBe(true);
    expect(new Set(words).size).toBe(FAULT_KINDS.length);
  });
});

describe('the schedules of a proof', () => {
  it('have every fault alone at every step that it can strike, on both sides of a change', () => {
    const singles = everySingleFault(STEPS, FAULT_KINDS, 1);
    const texts = singles.map(printSchedule);
    expect(new Set(texts).size).toBe(texts.length);
    for (const { faults } of singles) {
      expect(faults).toHaveLength(1);
      const [{ kind, step }] = faults as [Fault];
      expect(strikes(kind, STEPS[step - 1] as Verb)).toBe(true);
    }
    const rename = STEPS.indexOf('rename') + 1;
    const atRename = texts.filter((text) => new RegExp(` ${rename}( |$)`).test(text)).map((text) => text.slice(15));
    expect(atRename).toEqual(expect.arrayContaining(['crash before 7', 'crash after 7', 'fail at 7', 'lose at 7']));
    expect(atRename.filter((text) => /^(late|orphan|stop)/.test(text))).toHaveLength(2 + 2 + 4);
    expect(texts.some((text) => /(lose|late) at 3/.test(text))).toBe(false);
  });

  it('are the same for the same seed and number, and others for others', () => {
    const of = (seed: number, number: number) =>
      printSchedule(randomSchedule(STEPS, FAULT_KINDS, { ...FROM, seed, number }));
    expect(of(1, 5)).toBe(of(1, 5));
    const texts = Array.from({ length: 200 }, (_, number) => [of(1, number), of(2, number)]).flat();
    expect(new Set(texts.map((text) => text.slice(7))).size).toBeGreaterThan(300);
  });

  it('have no more faults than allowed, and only of the kinds that are', () => {
    for (let number = 0; number < 200; number += 1) {
      const { faults } = randomSchedule(STEPS, ['fail', 'stop'], { ...FROM, number });
      expect(faults.length).toBeLessThanOrEqual(3);
      expect(faults.every(({ kind }) => kind === 'fail' || kind === 'stop')).toBe(true);
      expect(faults).toEqual(inOrder(faults));
    }
  });

  it('shrink to what is needed to fail', () => {
    const long = parseSchedule('seed 1 pace 4: fail at 3, crash before 5, lose at 7, join before 9');
    const needs = (one: Schedule) =>
      ['crash before 5', 'join before 9'].every((part) => printSchedule(one).includes(part));
    expect(printSchedule(shrunk(long, needs))).toBe('seed 1 pace 0: crash before 5, join before 9');
    expect(shrunk(long, () => false)).toEqual(long);
  });
});
