import type { Level } from '../core/monitor.js';
import { shownText } from '../core/text.js';
import type { OutputStream } from './guarded-output.js';

/** Where the command prints: a live line on a terminal, JSON lines otherwise. */
export interface ConsoleLog {
  /** Prints one line. */
  say(level: Level, what: string, message: string, details?: Readonly<Record<string, unknown>>): void;
  /** Prints the progress, over the previous one if possible. */
  progress(line: string, fields: Readonly<Record<string, unknown>>): void;
  /** How often `progress` is worth calling, in milliseconds. */
  readonly progressEveryMs: number;
  /** How wide a progress line may be. */
  readonly columns: number;
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
      out.write(`${clear}${shownText(mark + message)}\n${last}`);
    },
    progress: (line) => {
      last = line;
      out.write(`${clear}${line}`);
    },
  };
}

function jsonLog(out: OutputStream, now: () => Date): ConsoleLog {
  const print = (fields: Readonly<Record<string, unknown>>) =>
    out.write(`${jsonOf({ time: now().toISOString(), ...fields })}\n`);
  return {
    progressEveryMs: 60_000,
    columns: Number.POSITIVE_INFINITY,
    say: (level, what, message, details) => print({ level, what, message, ...details }),
    progress: (_, fields) => print({ level: 'info', what: 'progress', ...fields }),
  };
}

/** Details come from all parts: a value without a JSON form is written as text or omitted; it never throws. */
function jsonOf(fields: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(fields, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  } catch {
    const { time, level, what, message } = fields;
    return JSON.stringify({ time, level, what, message });
  }
}
