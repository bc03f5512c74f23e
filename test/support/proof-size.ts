import type { ProofOptions } from '../../src/testing/index.js';

declare const proofSize: 'whole' | undefined;

/** Whether all of a proof runs: in the project `proof`. The project `quick` runs a slice, which finds what is plainly broken. */
export const isWhole = typeof proofSize !== 'undefined';

/** The first in the project `proof`, the second in a slice. */
export function sized<T>(whole: T, slice: T): T {
  return isWhole ? whole : slice;
}

/** So many random schedules beside each fault alone; in a slice a twentieth of them, and nothing else. */
export function schedulesOf(schedules: number): Pick<ProofOptions, 'schedules' | 'singleFaults'> {
  return sized({ schedules }, { schedules: Math.ceil(schedules / 20), singleFaults: 'none' });
}
