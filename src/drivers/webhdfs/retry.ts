import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../../backpressure/backoff.js';
import type { RetryOptions } from './options.js';

/** Waits before attempt `attempt + 1` (from 1): doubled each time, half of it at random so that clients spread. */
export async function backOff(retry: RetryOptions, attempt: number, signal: AbortSignal, mostMs = Infinity) {
  const waitMs = backoffMs(attempt, { ...retry, jitter: 0.5, random: Math.random });
  await sleep(Math.min(mostMs, waitMs), undefined, { signal });
}
