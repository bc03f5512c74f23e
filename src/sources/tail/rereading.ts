import { Subscription, switchMap, timer } from 'rxjs';
import { describeError, isRetryable, SourceError, shortName } from '../../core/errors.js';
import type { Metric } from '../../core/monitor.js';
import { sentence } from '../../core/sentence.js';
import type { SourceLifecycle } from '../../lifecycle/source-lifecycle.js';
import type { ResumePoint } from '../../offsets/commit-horizon.js';
import { NackCounter, type NackRun } from '../../offsets/nack-counter.js';
import { redeliverAfterMs } from '../../offsets/nack-policy.js';
import { resumePoints } from './following.js';
import type { CheckedOptions } from './options.js';
import type { TailedFile } from './tailed-file.js';

/** How a file is read again. */
export interface RereadingParts {
  /** Ends its epoch: nothing of it goes out until it begins again. */
  end(file: TailedFile): void;
  begin(file: TailedFile, resumePoint: ResumePoint | undefined): void;
}

/**
 * Reads a file again after a nack: ends its epoch, waits, asks where to resume, and begins there. Other files go on. A nack that must not
 * be retried drains the source; one of what the file no longer holds fails it.
 */
export class Rereading {
  readonly #lifecycle: SourceLifecycle;
  readonly #options: CheckedOptions;
  readonly #heldBack: Metric;
  readonly #parts: RereadingParts;
  readonly #nacks = new NackCounter();
  readonly #held = new Map<TailedFile, NackRun>();
  readonly #life = new Subscription();

  constructor(lifecycle: SourceLifecycle, options: CheckedOptions, heldBack: Metric, parts: RereadingParts) {
    this.#lifecycle = lifecycle;
    this.#options = options;
    this.#heldBack = heldBack;
    this.#parts = parts;
  }

  nacked(file: TailedFile, offset: number, cause: unknown): void {
    if (!this.#lifecycle.isRunning) {
      this.#lifecycle.note(nackedError(file, { offset, attempt: 1, cause }));
      return;
    }
    if (file.isOver) this.#lifecycle.drain(lostError(file, offset, cause));
    // Nacked once, it waits to be read again already.
    else if (!file.isHeld) this.#again(file, offset, cause);
  }

  /** What was nacked and waits to be read again is not drained: leaving now must not look like success. */
  get waiting(): SourceError | undefined {
    for (const [file, run] of this.#held) return nackedError(file, run);
    return undefined;
  }

  end(): void {
    this.#life.unsubscribe();
  }

  #again(file: TailedFile, offset: number, cause: unknown): void {
    const { stream } = file.stream;
    const { redeliver, monitor } = this.#options;
    const run = this.#nacks.add(file.stream, offset, cause);
    const delayMs = redeliverAfterMs(cause, run.attempt, redeliver);
    if (delayMs === null) {
      this.#lifecycle.drain(nackedError(file, { ...run, offset }));
      return;
    }
    const next = `in ${delayMs} ms, attempt ${run.attempt} of ${redeliver.maxAttempts}`;
    monitor.report({
      what: 'RXF_SOURCE_NACKED',
      about: stream,
      message: `${stream} offset ${offset} (${file.path}) was nacked (${describeError(cause)}); read again ${next}.`,
      addition: `${stream} (${file.path}) is read again from byte ${file.stream.watermark.offset} ${next}, because of ${shortName(cause)}.`,
      cause,
    });
    this.#parts.end(file);
    this.#held.set(file, run);
    this.#heldBack.set(this.#held.size);
    const isStillHeld = () => this.#lifecycle.isRunning && file.isHeld;
    const lookUp$ = timer(delayMs).pipe(
      switchMap(() => (isStillHeld() && !file.isOver ? resumePoints(this.#options, [stream]) : [[]])),
    );
    this.#life.add(
      lookUp$.subscribe({
        next: ([resumePoint]) => {
          if (!isStillHeld()) return;
          this.#held.delete(file);
          this.#heldBack.set(this.#held.size);
          if (file.isOver) this.#lifecycle.drain(lostError(file, offset, cause));
          else this.#parts.begin(file, resumePoint);
        },
        // The store that knows the position is away: as if it had nacked the line once more.
        error: (error: unknown) => {
          if (isStillHeld()) this.#again(file, file.stream.watermark.offset, error);
        },
      }),
    );
  }
}

/** Why a source stops at a nacked line, and what to do. */
function nackedError(file: TailedFile, { offset, attempt, cause }: NackRun): SourceError {
  const tries = attempt > 1 ? ` after ${attempt} attempts` : '';
  const next = isRetryable(cause)
    ? 'What came before is kept as read; it is redelivered at the next start.'
    : 'The flow stops before it, since a nacked line is never skipped. Correct the cause, or pass `decode` a `deadLetter` sink, and start again.';
  const { stream } = file.stream;
  return new SourceError(
    'RXF_SOURCE_NACKED',
    sentence(`${stream} offset ${offset} (${file.path}) was nacked${tries}: ${describeError(cause)}`, next),
    { cause, details: { stream, path: file.path, offset, attempts: attempt } },
  );
}

/** Why a nacked line cannot be read again. */
function lostError(file: TailedFile, offset: number, cause: unknown): SourceError {
  const { stream } = file.stream;
  return new SourceError(
    'RXF_TAIL_DATA_LOST',
    sentence(
      `${stream} offset ${offset} (${file.path}) was nacked (${describeError(cause)}), and the file no longer holds it: it was cut or removed`,
      'What is lost begins at that byte. Keep rotated files for longer than the sink may fail, and use `create` rather than `copytruncate`',
    ),
    { cause, details: { stream, path: file.path, offset } },
  );
}
