import { timer } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';

/** Runs in virtual time: timers of RxJS cost nothing. `at(ms, action)` schedules, and all of it has run on return. */
export function inVirtualTime(run: (at: (ms: number, action: () => void) => void) => void): void {
  const scheduler = new TestScheduler(() => undefined);
  const failures: unknown[] = [];
  scheduler.run(({ flush }) => {
    // A source left running by a failed expectation keeps its timers for ever; the clock must end all the same.
    scheduler.maxFrames = 120_000;
    run((ms, action) => {
      timer(ms).subscribe(() => {
        try {
          action();
        } catch (failure) {
          failures.push(failure);
        }
      });
    });
    flush();
  });
  if (failures.length > 0) throw failures[0];
}
