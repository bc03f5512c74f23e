import { describe, expect, it } from '@jest/globals';
import { nameOf, planOf } from '../../chaos/plan.js';

describe('the plan of a chaos run', () => {
  it('is the same for the same seed, and another for another', () => {
    const options = { kills: 40, seconds: 200 };
    expect(planOf(7, options)).toEqual(planOf(7, options));
    expect(planOf(8, options)).not.toEqual(planOf(7, options));
  });

  it.each([1, 2, 3])('has every kind of fault, in order of time, and as many kills as asked for (seed %i)', (seed) => {
    const { faults, collectors } = planOf(seed, { kills: 24, seconds: 120 });
    expect([2, 3]).toContain(collectors);
    expect(faults.filter(({ kind }) => kind === 'kill')).toHaveLength(24);
    expect(faults.map(({ atMs }) => atMs)).toEqual(faults.map(({ atMs }) => atMs).sort((a, b) => a - b));
    expect(faults.at(-1)?.atMs).toBeLessThan(120_000);
    for (const fault of faults) if ('slot' in fault) expect(fault.slot).toBeLessThan(collectors);
    expect([...new Set(faults.map(nameOf))].sort()).toEqual([
      'cut at commit, late',
      'cut at commit, unanswered',
      'cut at commit, unsent',
      'cut at data, unanswered',
      'cut at data, unsent',
      'cut at offsets, unanswered',
      'cut at offsets, unsent',
      'cut at rename, late',
      'cut at rename, unanswered',
      'cut at rename, unsent',
      'freeze',
      'freeze at commit, held',
      'freeze at commit, passed',
      'freeze at data, passed',
      'freeze at rename, held',
      'kill',
      'kill at commit, late',
      'kill at commit, unanswered',
      'kill at commit, unsent',
      'kill at data, unanswered',
      'kill at data, unsent',
      'kill at offsets, unanswered',
      'kill at rename, late',
      'kill at rename, unanswered',
      'kill at rename, unsent',
      'restart datanode',
      'restart kafka',
      'restart namenode',
    ]);
  });
});
