import type { GuardedOutput, OutputStream } from './guarded-output.js';

/** The most of a log that waits for a slow reader, in bytes. */
export const MAX_WAITING_BYTES = 1_048_576;

/**
 * An output for a log, whose reader may be slower than what is said: once `MAX_WAITING_BYTES` wait for it, what is written
 * is dropped until it has read all of that, and then `dropped` is called with the number of writes that are missing. For a log
 * alone: data must not go this way.
 *
 * Bounds: what waits is `MAX_WAITING_BYTES` and one write.
 */
export function logOutput(out: GuardedOutput, dropped: (count: number) => void): OutputStream {
  let count = 0;
  const drained = () => {
    if (count === 0) return;
    const missed = count;
    count = 0;
    dropped(missed);
  };
  out.onDrained(drained);
  return {
    get isTTY() {
      return out.isTTY === true;
    },
    get columns() {
      return out.columns ?? 80;
    },
    write(text) {
      if (out.waitingBytes >= (count === 0 ? MAX_WAITING_BYTES : 1)) {
        count += 1;
        return false;
      }
      drained();
      return out.write(text);
    },
  };
}
