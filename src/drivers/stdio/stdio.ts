import type { Writable } from 'node:stream';
import { Observable } from 'rxjs';
import { describeError, SinkError } from '../../core/errors.js';
import { expectOneOf, withDefaults } from '../../core/options.js';
import type { TextOutput } from '../../ports/text-output.js';

export interface StdioOptions {
  /** Which output of this program. Default `stdout`. */
  readonly stream?: 'stdout' | 'stderr';
}

/** The defaults of `stdio`. */
export const STDIO_DEFAULTS = { stream: 'stdout' } as const satisfies StdioOptions;

/**
 * This program's standard output, or its standard error.
 *
 * ```ts
 * import { consoleSink } from 'rxflume';
 * import { stdio } from 'rxflume/drivers/stdio';
 *
 * export const shown = consoleSink(stdio({ stream: 'stderr' }));
 * ```
 *
 * Bounds: what one `write` is given, until the system has taken it.
 * Fails: at the call with `RXF_OPTION_INVALID`; a write with `RXF_CONSOLE_CLOSED` where the reader has gone.
 * Source: Node.js, `process.stdout`, "A note on process I/O".
 */
export function stdio(options: StdioOptions = {}): TextOutput {
  const { stream } = withDefaults('stdio options', STDIO_DEFAULTS, options);
  expectOneOf('stream', stream, ['stdout', 'stderr']);
  return outputTo(stream, process[stream]);
}

/** The same to any stream, for tests. */
export function outputTo(name: string, stream: Writable & { readonly isTTY?: boolean | undefined }): TextOutput {
  return {
    name,
    isTerminal: stream.isTTY === true,
    write: (text) =>
      new Observable((subscriber) => {
        const ignored = () => undefined;
        stream.on('error', ignored);
        stream.write(text, (error) => {
          // The stream's error comes after this call, and would end the program: then the listener stays.
          if (error) subscriber.error(closedError(name, error));
          else {
            stream.off('error', ignored);
            subscriber.complete();
          }
        });
      }),
  };
}

function closedError(name: string, cause: unknown): SinkError {
  return new SinkError(
    'RXF_CONSOLE_CLOSED',
    `Cannot write to ${name}: ${describeError(cause)}. ${hasNoReader(cause) ? 'Nobody reads it any more.' : 'Make room, or write elsewhere.'}`,
    {
      cause,
      details: { output: name },
    },
  );
}

function hasNoReader(cause: unknown): boolean {
  const { code } = cause as { readonly code?: unknown };
  return code === undefined || code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED';
}
