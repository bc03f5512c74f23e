import { describeError, isRetryable, SourceError } from '../../core/errors.js';

/** Why a source of RabbitMQ stops at a refused message, and what to do. */
export function nackedError(what: string, attempt: number, cause: unknown): SourceError {
  const tries = attempt > 1 ? ` after ${attempt} attempts` : '';
  const next = isRetryable(cause)
    ? 'It is redelivered at the next start.'
    : 'The flow stops, since a refused message is never skipped; it is redelivered at the next start. Mend the cause, or set ' +
      'such values aside with `decode(…, { deadLetter })`, and start again.';
  return new SourceError('RXF_SOURCE_NACKED', `${what} was refused${tries}: ${describeError(cause)} ${next}`, {
    cause,
    details: { attempts: attempt },
  });
}
