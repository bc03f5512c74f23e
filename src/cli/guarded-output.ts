import { describeError } from '../core/errors.js';

/** An output of this program, as far as the command needs it. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

interface Breakable extends OutputStream {
  readonly writableLength?: number;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'drain', listener: () => void): unknown;
}

export interface GuardedOutput extends OutputStream {
  /** What was written and waits in this program for its reader, in bytes; none where it is gone. */
  readonly waitingBytes: number;
  /** Calls each time that what had piled up was read. */
  onDrained(listener: () => void): void;
}

/**
 * An output that may go away, such as a pipe into `head` or a full disk, and does not end the program by that: `onGone` is
 * called once, with what failed, and everything is written to `instead` from then on.
 */
export function guardedOutput(stream: Breakable, instead: OutputStream, onGone: (why: string) => void): GuardedOutput {
  let isGone = false;
  const gone = (error: unknown) => {
    if (isGone) return;
    isGone = true;
    onGone(describeError(error));
  };
  stream.on('error', gone);
  return {
    get isTTY() {
      return !isGone && stream.isTTY === true;
    },
    get columns() {
      return stream.columns ?? 80;
    },
    get waitingBytes() {
      return isGone ? 0 : (stream.writableLength ?? 0);
    },
    onDrained: (listener) => stream.on('drain', listener),
    write(text) {
      try {
        if (!isGone) return stream.write(text);
      } catch (error) {
        gone(error);
      }
      return instead.write(text);
    },
  };
}
