import { asyncScheduler } from 'rxjs';

/** Two readings of one clock, one right after the other, are never so far apart. */
const ONE_MOMENT_MS = 1_000;

/**
 * Milliseconds for deadlines, waits, ages and rates: only ever grows, whatever happens to the time of day. It counts from
 * no particular moment, so only differences mean something, within one process.
 *
 * Inside `TestScheduler.run` it is virtual time. Under fake timers it is what they make of `performance`.
 */
export function monotonicMs(): number {
  return isVirtual() && isVirtual() ? asyncScheduler.now() : performance.now();
}

/**
 * The time of day, in milliseconds since 1970: for what people and other systems read as a date. It is set back and
 * forward by NTP, by hand, and when a machine resumes, so nothing may be waited for by it.
 */
export function timeOfDayMs(): number {
  return asyncScheduler.now();
}

/**
 * RxJS has no public clock but the time of day, which a `TestScheduler` replaces by its frames. A real clock may be set
 * between two readings, so it is asked twice.
 */
function isVirtual(): boolean {
  return Math.abs(asyncScheduler.now() - Date.now()) > ONE_MOMENT_MS;
}
