import { EMPTY, ignoreElements, map, type Observable, race, Subject, take, timer } from 'rxjs';
import { SourceError } from '../../core/errors.js';
import type { Assignment } from './assignment.js';

/** Waits until everything emitted of an assignment is settled. */
export class Settling {
  readonly #settled$ = new Subject<void>();

  /** To be called when something was settled, or can no longer be. */
  look(assignment: Assignment): void {
    if (assignment.isSettled) this.#settled$.next();
  }

  /** Completes when all that is out is settled; fails with `RXF_SOURCE_DRAIN_TIMEOUT` after `withinMs`. */
  of(assignment: Assignment, withinMs: number): Observable<never> {
    if (assignment.isSettled) return EMPTY;
    const late$ = timer(withinMs).pipe(
      map(() => {
        throw lateError(assignment, withinMs);
      }),
    );
    return race(this.#settled$.pipe(take(1)), late$).pipe(ignoreElements());
  }
}

function lateError(assignment: Assignment, withinMs: number): SourceError {
  const out = [...assignment.partitions].filter((partition) => !partition.isSettled);
  const count = out.reduce((sum, partition) => sum + partition.watermark.unacked, 0);
  return new SourceError(
    'RXF_SOURCE_DRAIN_TIMEOUT',
    `${count} records of ${out.map((partition) => partition.stream).join(', ')} were not settled within ${withinMs} ms. ` +
      'They are redelivered at the next start. See why the sink is slow, or raise `drainTimeoutMs`.',
  );
}
