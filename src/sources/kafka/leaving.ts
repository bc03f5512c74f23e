import { catchError, concat, defer, EMPTY, type Observable } from 'rxjs';
import { FlushRequester } from '../../backpressure/flush-requester.js';
import { Settling } from '../../lifecycle/settling.js';
import { lateError } from './assignment.js';
import type { Committer } from './committer.js';
import type { Partition } from './partition.js';
import type { SessionState } from './session-state.js';

/** The most of a rebalance's time that is kept for the commit after the settling. */
const MAX_COMMIT_MS = 2_000;

/**
 * Settles and commits what the group takes away: all of it, or some partitions while others stay ours, where only what holds
 * these is asked to flush.
 */
export class Leaving {
  readonly #state: SessionState;
  readonly #committer: Committer;
  readonly #withinMs: number;
  readonly #settling = new Settling(() => this.#isSettled);
  readonly #flushRequester = new FlushRequester(
    () => (this.#isSettled ? null : 'settle'),
    (signal) => {
      for (const partition of this.#leaving) partition.flush$.next(signal);
    },
  );

  constructor(state: SessionState, committer: Committer, revokeTimeoutMs: number) {
    this.#state = state;
    this.#committer = committer;
    this.#withinMs = revokeTimeoutMs - Math.min(MAX_COMMIT_MS, Math.floor(revokeTimeoutMs / 4));
  }

  all(settled: (withinMs: number) => Observable<never>): Observable<unknown> {
    // What is not settled in time is redelivered; what is, must not.
    return concat(
      settled(this.#withinMs).pipe(catchError(() => EMPTY)),
      defer(() => this.#committer.all()),
    ).pipe(catchError(() => EMPTY));
  }

  /** Nothing more of these goes out. */
  some(partitions: readonly Partition[]): Observable<unknown> {
    for (const partition of partitions) {
      partition.isLeaving = true;
      partition.dropQueued();
    }
    this.#flushRequester.look();
    return this.all((withinMs) => this.#settling.within(withinMs, () => lateError(this.#leaving, withinMs)));
  }

  /** Something was settled or released, or can no longer be. */
  look(): void {
    this.#settling.look();
    if (this.#leaving.length > 0) this.#flushRequester.look();
  }

  end(): void {
    this.#flushRequester.end();
  }

  get #leaving(): readonly Partition[] {
    return this.#state.assignment.partitions.filter(({ isLeaving }) => isLeaving);
  }

  get #isSettled(): boolean {
    return this.#leaving.every(({ isSettled }) => isSettled);
  }
}
