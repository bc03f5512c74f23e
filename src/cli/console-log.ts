import type { Level } from '../core/monitor.js';

/** Where the command prints: a live line for a terminal, JSON lines otherwise. */
export interface ConsoleLog {
  /** Something to be read now. */
  say(level: Level, what: string, message: string, details?: Readonly<Record<string, unknown>>): void;
  /** The state of things, over the last one where that is possible. */
  progress(line: string, fields: Readonly<Record<string, unknown>>): void;
  /** How often `progress` is worth calling, in milliseconds. */
  readonly progressEveryMs: number;
  /** How wide a progress line may be. */
  readonly columns: number;
}

export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export function consoleLog(out: OutputStream, now: () => Date): ConsoleLog {
  return out.isTTY === true ? terminalLog(out) : jsonLog(out, now);
}

function terminalLog(out: OutputStream): ConsoleLog {
  const clear = '\r\u001b[K';
  let last = '';
  return {
    progressEveryMs: 500,
    get columns() {
      return out.columns ?? 80;
    },
    say: (level, what, message) => {
      const mark = level === 'info' ? '' : `${level} ${what}: `;
      out.write(`${clear}${mark}${message}\n${last}`);
    },
    progress: (line) => {
      last = line;
      out.write(`${clear}${line}`);
    },
  };
}

function jsonLog(out: OutputStream, now: () => Date): ConsoleLog {
  const print = (fields: Readonly<Record<string, unknown>>) =>
    out.write(`${JSON.stringify({ time: now().toISOString(), ...fields })}\n`);
  return {
    progressEveryMs: 60_000,
    columns: Number.POSITIVE_INFINITY,
    say: (level, what, message, details) => print({ level, what, message, ...details }),
    progress: (_, fields) => print({ level: 'info', what: 'progress', ...fields }),
  };
}
