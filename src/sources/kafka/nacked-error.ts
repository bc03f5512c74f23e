import { describeError, isRetryable, SourceError } from '../../core/errors.js';
import { sentence } from '../../core/sentence.js';
import type { NackRun } from '../../offsets/nack-counter.js';
import type { Partition } from './partition.js';

/** Why a source stops at a refused record, and what to do. */
export function nackedError(partition: Partition, { offset, attempt, cause }: NackRun): SourceError {
  const tries = attempt > 1 ? ` after ${attempt} attempts` : '';
  const next = isRetryable(cause)
    ? 'What came before is committed; it is redelivered at the next start.'
    : 'The flow stops before it, since a refused record is never skipped; what came before is committed. ' +
      'Correct the cause, or pass `decode` a `deadLetter` sink, and start again.';
  return new SourceError(
    'RXF_SOURCE_NACKED',
    sentence(`${partition.stream} offset ${offset} was refused${tries}: ${describeError(cause)}`, next),
    { cause, details: { stream: partition.stream, offset, attempts: attempt } },
  );
}
