import { describeError, shortName } from '../core/errors.js';
import { sentence } from '../core/sentence.js';
import { shownText } from '../core/text.js';
import type { ConsoleLog } from './console-log.js';
import type { OutputStream } from './guarded-output.js';
import { isOwn } from './load-flow.js';

/** Where errors before the run go: standard error, as text. */
export function startLog(err: OutputStream): Pick<ConsoleLog, 'say'> {
  return { say: (_, what, message) => err.write(`rxflume: ${shownText(`${what}: ${message}`)}\n`) };
}

/**
 * An error as the command prints it: code and message; the stack only of what is not ours. Of the one behind it that was
 * reported before, only the code.
 */
export function sayError(log: Pick<ConsoleLog, 'say'>, error: unknown, reported?: unknown): void {
  if (isOwn(error)) {
    const message =
      reported === undefined
        ? error.message
        : sentence(error.message.replace(describeError(reported), `${shortName(reported)}, as reported before`));
    log.say('error', error.code, message, { details: error.details });
    return;
  }
  const stack = error instanceof Error ? error.stack : undefined;
  log.say('error', 'error', stack ?? describeError(error));
}
