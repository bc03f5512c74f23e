import { describe, expect, it } from '@jest/globals';
import { CLUSTER_FAULTS, type Step, stepsOf } from '../../../chaos/cluster/plan.js';

function first(seed: number, count: number): Step[] {
  const steps = stepsOf(seed);
  return Array.from({ length: count }, () => steps.next().value);
}

describe('the plan of chaos in clusters', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(first(7, 30)).toEqual(first(7, 30));
    expect(first(8, 30)).not.toEqual(first(7, 30));
  });

  it.each([1, 2, 3])('has every fault once before any is repeated (seed %i)', (seed) => {
    const faults = first(seed, 2 * CLUSTER_FAULTS.length).map(({ fault }) => fault);
    expect(faults.slice(0, CLUSTER_FAULTS.length).sort()).toEqual([...CLUSTER_FAULTS].sort());
    expect(faults.slice(CLUSTER_FAULTS.length).sort()).toEqual([...CLUSTER_FAULTS].sort());
  });

  it('kills a process in some of the steps, and not in all', () => {
    const kills = first(1, 100).filter(({ killed }) => killed !== null).length;
    expect(kills).toBeGreaterThan(20);
    expect(kills).toBeLessThan(60);
  });
});
