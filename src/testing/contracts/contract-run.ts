import type { Subscription } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { expectFunction } from '../../core/options.js';

/** What a test runner gives: `it` of Jest, Vitest, Mocha or node:test. */
export type It = (name: string, run: () => void) => void;

/** The runner's `it`: the one given, else the global one. Throws `OptionError` where there is none. */
export function itOf(given: It | undefined): It {
  const it = given ?? (globalThis as { it?: It }).it;
  expectFunction('it', it);
  return it as It;
}

/**
 * Runs in virtual time: timers of RxJS cost nothing. `at(ms, action)` schedules, and all of it has run on return, or the
 * clock has come to `longestMs`. What an action throws is thrown.
 */
export function inVirtualTime(
  run: (at: (ms: number, action: () => void) => Subscription) => void,
  longestMs = 1_000_000,
): void {
  const scheduler = new TestScheduler(() => undefined);
  const failures: unknown[] = [];
  scheduler.run(({ flush }) => {
    // Whatever is left running must not keep the clock forever.
    scheduler.maxFrames = longestMs;
    // Not by `timer`: RxJS 7 throws "Expected a due immediate or interval" where a timer stops another due in the same frame.
    run((ms, action) =>
      scheduler.schedule(() => {
        try {
          action();
        } catch (failure) {
          failures.push(failure);
        }
      }, ms),
    );
    flush();
  });
  if (failures.length > 0) throw failures[0];
}

/** Throws where it does not hold, with what was expected and what came. */
export function expectThat(holds: boolean, expected: string, got: unknown): void {
  if (!holds) throw new Error(`Expected ${expected}, got ${JSON.stringify(got)}`);
}
