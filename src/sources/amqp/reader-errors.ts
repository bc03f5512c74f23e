import { describeError, isRetryable, SourceError, shortName } from '../../core/errors.js';
import type { Monitor } from '../../core/monitor.js';
import { sentence } from '../../core/sentence.js';

/** Why a source of RabbitMQ stops at a nacked message, and what to do. */
export function nackedError(what: string, attempt: number, cause: unknown): SourceError {
  const tries = attempt > 1 ? ` after ${attempt} attempts` : '';
  const next = isRetryable(cause)
    ? 'It is redelivered at the next start.'
    : 'The flow stops, since a nacked message is never skipped; it is redelivered at the next start. Correct the cause, or set ' +
      'such values aside with `decode(…, { deadLetter })`, and start again.';
  return new SourceError('RXF_SOURCE_NACKED', sentence(`${what} was nacked${tries}: ${describeError(cause)}`, next), {
    cause,
    details: { attempts: attempt },
  });
}

/** What was out when the channel ended cannot be settled any more: that is no end of a drain that may look like success. */
export function lostError(stream: string, count: number): SourceError {
  return new SourceError(
    'RXF_SOURCE_DRAIN_LOST',
    `The channel of ${stream} ended during the drain, with ${count} messages out that were not settled. They are redelivered, also ` +
      'those that the sink has stored meanwhile.',
    { details: { stream, count } },
  );
}

/** Logs that something of a stream was nacked, and what becomes of it. */
export function reportNack(monitor: Monitor, stream: string, what: string, fate: string, cause: unknown): void {
  monitor.report({
    what: 'RXF_SOURCE_NACKED',
    about: stream,
    message: `${what} (${describeError(cause)}) and ${fate}.`,
    addition: `${what} and ${fate}, because of ${shortName(cause)}.`,
    cause,
  });
}
