import type { Level } from '../core/monitor.js';
import type { LogLine } from './contract.js';

const MAX_LINES = 500;
/** So many a new reader gets of what was said before. */
const FIRST_LINES = 100;
const MAX_MESSAGE_LENGTH = 4_096;

/** The last log events. Bounds: 500, each of 4,096 characters at most. */
export class LogLines {
  readonly #lines: LogLine[] = [];
  #seq = 0;

  add(atMs: number, level: Level, what: string, message: string): LogLine {
    this.#seq += 1;
    const line: LogLine = { seq: this.#seq, atMs, level, what, message: message.slice(0, MAX_MESSAGE_LENGTH) };
    this.#lines.push(line);
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
    return line;
  }

  /** Those behind a line, or the last hundred. */
  after(seq: number | undefined): readonly LogLine[] {
    // A number of an earlier run says nothing.
    if (seq === undefined || seq > this.#seq) return this.#lines.slice(-FIRST_LINES);
    return this.#lines.filter((line) => line.seq > seq);
  }
}
