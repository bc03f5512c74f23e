import { map, Subscription, switchMap, timer } from 'rxjs';
import { describeError, isRetryable, SourceError, shortName } from '../../core/errors.js';
import type { Metric } from '../../core/monitor.js';
import { sentence } from '../../core/sentence.js';
import { NackCounter, type NackRun } from '../../offsets/nack-counter.js';
import { redeliverAfterMs } from '../../offsets/nack-policy.js';
import type { Committer } from './committer.js';
import type { CheckedOptions } from './options.js';
import type { Partition } from './partition.js';
import { resumePoints } from './resume.js';
import type { SessionState } from './session-state.js';

/**
 * Reads a partition again after a nack: ends its epoch, waits, asks where to resume, and starts a fresh one there. What
 * was out of it is ignored and is redelivered; nothing is skipped. A nack that must not be retried drains the source.
 */
export class Rewinding {
  readonly #state: SessionState;
  readonly #committer: Committer;
  readonly #options: CheckedOptions;
  readonly #heldBack: Metric;
  readonly #nacks = new NackCounter();
  readonly #life = new Subscription();

  constructor(state: SessionState, committer: Committer, options: CheckedOptions, heldBack: Metric) {
    this.#state = state;
    this.#committer = committer;
    this.#options = options;
    this.#heldBack = heldBack;
  }

  nacked(partition: Partition, offset: number, cause: unknown): void {
    // Nacked once, it waits to be read again already.
    if (!partition.isOver) this.#again(partition, offset, cause);
  }

  /** What was nacked and waits to be read again is not drained: leaving now must not look like success. */
  get waiting(): SourceError | undefined {
    for (const partition of this.#state.assignment.partitions) {
      const last = this.#nacks.last(partition);
      if (partition.isOver && last !== undefined) return nackedError(partition, last);
    }
    return undefined;
  }

  /** How often a record was read in a row, this time included. */
  attemptAt(partition: Partition, offset: number): number {
    return this.#nacks.attemptAt(partition, offset);
  }

  end(): void {
    this.#life.unsubscribe();
  }

  #again(partition: Partition, offset: number, cause: unknown): void {
    const run = this.#nacks.add(partition, offset, cause);
    const delayMs = redeliverAfterMs(cause, run.attempt, this.#options.redeliver);
    if (delayMs === null) {
      this.#state.lifecycle.drain(nackedError(partition, { ...run, offset }));
      return;
    }
    const { stream, watermark } = partition;
    const next = `in ${delayMs} ms, attempt ${run.attempt} of ${this.#options.redeliver.maxAttempts}`;
    this.#options.monitor.report({
      what: 'RXF_SOURCE_NACKED',
      about: stream,
      message: `${stream} offset ${offset} was nacked (${describeError(cause)}); read again ${next}.`,
      addition: `${stream} is read again from offset ${watermark.offset} ${next}, because of ${shortName(cause)}.`,
      cause,
    });
    this.#rewind(partition, delayMs);
  }

  #rewind(partition: Partition, delayMs: number): void {
    const { assignment } = this.#state;
    const isStillOurs = () =>
      this.#state.isTaking && this.#state.assignment === assignment && assignment.get(partition) === partition;
    partition.end();
    this.#heldBack.add(1);
    this.#state.call((consumer) => consumer.pause([partition]));
    this.#life.add(
      timer(delayMs)
        .pipe(
          switchMap(() => (isStillOurs() ? resumePoints(this.#options, [partition]) : [])),
          map(([resumePoint]) => partition.renewed(resumePoint)),
        )
        .subscribe({
          next: (fresh) => {
            if (!isStillOurs()) return;
            assignment.replace(fresh);
            const { topic, partition: number, watermark } = fresh;
            this.#state.call((consumer) => consumer.seek({ topic, partition: number, offset: watermark.offset }));
            // It is paused for this; where the flow is too, it stays so.
            if (this.#state.isPaused) fresh.isPaused = true;
            else this.#state.call((consumer) => consumer.resume([partition]));
            this.#committer.resumed();
          },
          // The store that knows the position is away: as if it had nacked the record once more.
          error: (error: unknown) => {
            if (isStillOurs()) this.#again(partition, partition.watermark.offset, error);
          },
        }),
    );
  }
}

/** Why a source stops at a nacked record, and what to do. */
export function nackedError(partition: Partition, { offset, attempt, cause }: NackRun): SourceError {
  const tries = attempt > 1 ? ` after ${attempt} attempts` : '';
  const next = isRetryable(cause)
    ? 'What came before is committed; it is redelivered at the next start.'
    : 'The flow stops before it, since a nacked record is never skipped; what came before is committed. ' +
      'Correct the cause, or pass `decode` a `deadLetter` sink, and start again.';
  return new SourceError(
    'RXF_SOURCE_NACKED',
    sentence(`${partition.stream} offset ${offset} was nacked${tries}: ${describeError(cause)}`, next),
    { cause, details: { stream: partition.stream, offset, attempts: attempt } },
  );
}
