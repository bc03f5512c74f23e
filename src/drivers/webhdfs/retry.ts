import { setTimeout as sleep } from 'node:timers/promises';
import type { RetryOptions } from './options.js';

/** Waits before attempt `attempt + 1` (from 1): doubled each time, half of it at random so that clients spread. */
export async function backOff(retry: RetryOptions, attempt: number, signal: AbortSignal, mostMs = Infinity) {
  const full = Math.min(retry.maxDelayMs, retry.firstDelayMs * 2 ** Math.min(attempt - 1, 30));
  await sleep(Math.min(mostMs, full * (0.5 + Math.random() / 2)), undefined, { signal });
}
