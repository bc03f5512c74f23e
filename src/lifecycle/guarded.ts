import { defer, from, type Observable, type ObservableInput } from 'rxjs';
import { within } from './within.js';

/**
 * The answer of something that is not ours, such as a driver or a function of the application.
 *
 * Fails: as the answer does; with what was thrown at the call, or is no answer at all; with `late()` where there is none
 * within so many milliseconds.
 */
export function guarded<T>(call: () => ObservableInput<T>, withinMs: number, late: () => unknown): Observable<T> {
  return defer(() => from(call())).pipe(within(withinMs, late));
}
