import type { CommandContext } from '../command.js';
import { sayError, startLog } from '../say-error.js';

/** Runs what asks a console; a failure is printed, and the exit code is 1. */
export async function askConsole(work: () => Promise<number>, { err }: CommandContext): Promise<number> {
  try {
    return await work();
  } catch (error) {
    sayError(startLog(err), error);
    return 1;
  }
}

/** A signal that is aborted at the first SIGINT or SIGTERM; `end` stops listening. */
export function untilStopped(): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const stop = () => controller.abort();
  process.on('SIGINT', stop).on('SIGTERM', stop);
  return { signal: controller.signal, end: () => void process.off('SIGINT', stop).off('SIGTERM', stop) };
}
