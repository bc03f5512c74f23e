import { doublingMs } from '../backpressure/backoff.js';
import { isRetryable } from '../core/errors.js';

/** How a nacked record is redelivered, where its cause says that trying again may help. */
export interface RedeliverOptions {
  /** The most times in a row without progress; then the stream stops. */
  readonly maxAttempts: number;
  /** The wait before the first, doubled at each further one. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
}

/**
 * What becomes of a nack: `delayMs` until its partition is read again from the watermark, or null to stop the stream.
 * A nack is never skipped. Pure; `attempt` counts from 1 and starts anew when the watermark has passed the record.
 */
export function redeliverAfterMs(cause: unknown, attempt: number, options: RedeliverOptions): number | null {
  if (!isRetryable(cause) || attempt > options.maxAttempts) return null;
  return doublingMs(attempt, options.firstDelayMs, options.maxDelayMs);
}
