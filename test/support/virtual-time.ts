import type { Subscription } from 'rxjs';
import { inVirtualTime as runInVirtualTime } from '../../src/testing/contracts/contract-run.js';

/** A source left running by a failed expectation keeps its timers forever; the clock must end all the same. */
const LONGEST_MS = 120_000;

/** Runs in virtual time: timers of RxJS cost nothing. `at(ms, action)` schedules, and all of it has run on return. */
export function inVirtualTime(run: (at: (ms: number, action: () => void) => Subscription) => void): void {
  runInVirtualTime(run, LONGEST_MS);
}
