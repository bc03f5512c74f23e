import { setTimeout } from 'node:timers/promises';

/** Waits so long; rejects at once when the signal is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return setTimeout(ms, undefined, { signal });
}

/** Asks again and again until the answer is true; false when it was not within so long. */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  withinMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) return false;
    await pause(250, signal);
  }
  return true;
}
