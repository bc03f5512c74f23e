/** When the watermark is committed to the broker: whichever comes first. */
export interface CommitOptions {
  /** After so many acks. */
  readonly count: number;
  /** So long after the first ack that is not committed, in milliseconds. */
  readonly intervalMs: number;
}

/** What to do about commits now: make one, start the interval, or nothing. */
export type CommitStep = 'commit' | 'startInterval' | 'nothing';

/**
 * When a commit is due. Pure: the interval is started and ended by the caller.
 *
 * A commit is never due while one is under way, so a slow broker is not flooded; what is acked meanwhile is due next.
 */
export class CommitScheduler {
  readonly #count: number;
  #acked = 0;
  /** There is something to commit that was not acked. */
  #isDue = false;
  #isCommitting = false;
  #isIntervalOn = false;

  constructor(count: number) {
    this.#count = count;
  }

  acked(count: number): CommitStep {
    this.#acked += count;
    return this.#next();
  }

  /** There is something to commit though nothing was acked; the interval is soon enough. */
  due(): CommitStep {
    this.#isDue = true;
    return this.#next();
  }

  intervalEnded(): CommitStep {
    this.#isIntervalOn = false;
    return this.#isCommitting || !this.#hasSome ? 'nothing' : 'commit';
  }

  started(): void {
    this.#isCommitting = true;
    this.#acked = 0;
    this.#isDue = false;
  }

  /** `retry`: what was to be committed is due again after an interval. */
  ended(outcome: 'done' | 'retry'): CommitStep {
    this.#isCommitting = false;
    if (outcome === 'done') return this.#next();
    this.#isDue = true;
    if (this.#isIntervalOn) return 'nothing';
    this.#isIntervalOn = true;
    return 'startInterval';
  }

  get #hasSome(): boolean {
    return this.#acked > 0 || this.#isDue;
  }

  #next(): CommitStep {
    if (this.#isCommitting || !this.#hasSome) return 'nothing';
    if (this.#acked >= this.#count) return 'commit';
    if (this.#isIntervalOn) return 'nothing';
    this.#isIntervalOn = true;
    return 'startInterval';
  }
}
