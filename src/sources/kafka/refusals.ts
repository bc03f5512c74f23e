import { describeError, isRetryable, SourceError } from '../../core/errors.js';
import type { Partition } from './partition.js';

/** The refusals of one stream in a row, without progress between them. */
export interface Refusal {
  /** The highest offset refused. */
  readonly offset: number;
  readonly attempt: number;
  readonly cause: unknown;
}

/** Counts refusals in a row by stream: the count starts anew when the watermark has passed what was refused. */
export class Refusals {
  readonly #last = new Map<string, Refusal>();

  add(partition: Partition, offset: number, cause: unknown): Refusal {
    const before = this.#last.get(partition.stream);
    const isInARow = before !== undefined && partition.watermark.offset <= before.offset;
    const refusal = {
      offset: isInARow ? Math.max(before.offset, offset) : offset,
      attempt: isInARow ? before.attempt + 1 : 1,
      cause,
    };
    this.#last.set(partition.stream, refusal);
    return refusal;
  }

  last(partition: Partition): Refusal | undefined {
    return this.#last.get(partition.stream);
  }
}

/** Why a source stops at a refused record, and what to do. */
export function refusalError(partition: Partition, { offset, attempt, cause }: Refusal): SourceError {
  const tries = attempt > 1 ? ` after ${attempt} attempts` : '';
  const next = isRetryable(cause)
    ? 'What came before is committed; it comes again at the next start.'
    : 'The flow stops before it, since a refused record is never skipped; what came before is committed. ' +
      'Mend the cause, or give `decode` a `deadLetter` sink, and start again.';
  return new SourceError(
    'RXF_SOURCE_NACKED',
    `${partition.stream} offset ${offset} was refused${tries}: ${describeError(cause)} ${next}`,
    { cause, details: { stream: partition.stream, offset, attempts: attempt } },
  );
}
