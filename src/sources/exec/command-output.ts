import { type Line, LineSplitter } from '../../formats/lines.js';
import type { CommandExit, CommandListener } from '../../ports/command-runner.js';
import type { ErrorLines } from './error-lines.js';
import type { ExecLine } from './options.js';

/** What one run of a command tells the source. */
export interface CommandOutputHost {
  /** Whether another line may be given. */
  readonly isTaking: boolean;
  line(line: ExecLine): void;
  /** The command has ended, and every line of it was given. */
  over(exit: CommandExit): void;
}

/**
 * What one run of a command writes, as lines, of which each is made when it may be given.
 *
 * Bounds: one line, of at most `maxBytes`, and the bytes that come before the pipe is paused.
 */
export class CommandOutput implements CommandListener {
  readonly #lines: LineSplitter;
  readonly #errors: ErrorLines;
  readonly #host: CommandOutputHost;
  #chunks: Uint8Array[] = [];
  #exit: CommandExit | undefined;
  #isGiving = false;
  #isOver = false;

  constructor(maxBytes: number, errors: ErrorLines, host: CommandOutputHost) {
    this.#lines = new LineSplitter({ lineEnd: 'lf', maxBytes, tooLong: 'shorten' });
    this.#errors = errors;
    this.#host = host;
  }

  output(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.give();
  }

  errorOutput(bytes: Uint8Array): void {
    this.#errors.push(bytes);
  }

  exited(exit: CommandExit): void {
    this.#exit = exit;
    this.#errors.end();
    this.give();
  }

  /** Gives what is there, as long as it is taken. */
  give(): void {
    if (this.#isGiving || this.#isOver) return;
    this.#isGiving = true;
    let line: Line | undefined;
    while (this.#host.isTaking) {
      line = this.#next();
      if (line === undefined) break;
      this.#host.line({ bytes: line.bytes, isCut: line.kind === 'overlong' });
    }
    this.#isGiving = false;
    if (!this.#host.isTaking || this.#exit === undefined || this.#isOver) return;
    this.#isOver = true;
    this.#host.over(this.#exit);
  }

  /** How many lines are there and were not given; they will not be. */
  drop(): number {
    let count = 0;
    while (this.#next() !== undefined) count += 1;
    this.#isOver = true;
    return count;
  }

  /** The next line; at the end of all, the last one may have no end. */
  #next(): Line | undefined {
    let line = this.#lines.next();
    while (line === undefined && this.#chunks.length > 0) {
      this.#lines.push(this.#chunks.shift() as Uint8Array);
      line = this.#lines.next();
    }
    return line ?? (this.#exit === undefined ? undefined : this.#lines.end());
  }
}
