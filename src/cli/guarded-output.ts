import { describeError } from '../core/errors.js';

/** An output of this program, as far as the command needs it. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

interface Breakable extends OutputStream {
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/**
 * An output that may go away, such as a pipe into `head` or a full disk, and does not end the program by that: `onGone` is
 * called once, with what failed, and everything is written to `instead` from then on.
 */
export function guardedOutput(stream: Breakable, instead: OutputStream, onGone: (why: string) => void): OutputStream {
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
