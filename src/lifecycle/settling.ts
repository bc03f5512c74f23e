import { defer, EMPTY, ignoreElements, type Observable, Subject, take } from 'rxjs';
import { SourceError } from '../core/errors.js';
import { within } from './time-limit.js';

/** Waits until everything that a source has emitted is settled. */
export class Settling {
  readonly #settled$ = new Subject<void>();
  readonly #isSettled: () => boolean;

  /** `isSettled`: whether nothing that is out can still be settled. */
  constructor(isSettled: () => boolean) {
    this.#isSettled = isSettled;
  }

  /** To be called when something was settled, or can no longer be. */
  look(): void {
    if (this.#settled$.observed && this.#isSettled()) this.#settled$.next();
  }

  /** Completes when all is settled; fails with `late()` after so many milliseconds. */
  within(ms: number, late: () => SourceError): Observable<never> {
    return defer(() =>
      this.#isSettled() ? EMPTY : this.#settled$.pipe(take(1), ignoreElements(), within<never>(ms, late)),
    );
  }
}

/** Why a drain fails that took too long: `what` was not settled, and what happens to it. */
export function drainTimeoutError(what: string, withinMs: number, consequence: string): SourceError {
  return new SourceError(
    'RXF_SOURCE_DRAIN_TIMEOUT',
    `${what} were not settled within ${withinMs} ms. ${consequence} See why the sink is slow, or raise \`drainTimeoutMs\`.`,
  );
}
