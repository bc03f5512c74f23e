import { monotonicMs } from '../../core/clock.js';
import type { Monitor } from '../../core/monitor.js';
import { sentence } from '../../core/sentence.js';
import { KiB } from '../../core/units.js';
import { type Line, LineSplitter } from '../../formats/lines.js';

/** So many lines are logged in so long; of those beyond, only the number. */
const [MOST, IN_MS] = [10, 10_000];
const MAX_BYTES = KiB;

/**
 * What a command writes to its standard error, line by line, as log events `exec.stderr`.
 *
 * Bounds: the first KiB of a line; ten log events in 10 s, over all runs of the command.
 */
export class ErrorLines {
  /** The last line, which often says why a command ended. */
  last = '';
  readonly #stream: string;
  readonly #monitor: Monitor;
  readonly #isLogged: boolean;
  readonly #lines = new LineSplitter({ lineEnd: 'lf', maxBytes: MAX_BYTES, tooLong: 'shorten' });
  #since = Number.NEGATIVE_INFINITY;
  #count = 0;
  #passedOver = 0;

  constructor(stream: string, monitor: Monitor, isLogged: boolean) {
    this.#stream = stream;
    this.#monitor = monitor;
    this.#isLogged = isLogged;
  }

  push(bytes: Uint8Array): void {
    this.#lines.push(bytes);
    for (let line = this.#lines.next(); line !== undefined; line = this.#lines.next()) this.#line(line);
  }

  /** The command has ended: a last line needs no end. */
  end(): void {
    const line = this.#lines.end();
    if (line !== undefined) this.#line(line);
  }

  #line({ bytes, kind }: Line): void {
    const text = bytes.toString().trim();
    if (text === '') return;
    this.last = kind === 'overlong' ? `${text}…` : text;
    if (!this.#isLogged) return;
    const now = monotonicMs();
    if (now - this.#since >= IN_MS) {
      this.#since = now;
      this.#count = 0;
    }
    if (this.#count >= MOST) {
      this.#passedOver += 1;
      return;
    }
    this.#count += 1;
    const passedOver = this.#passedOver === 0 ? '' : ` (after ${this.#passedOver} lines that are not logged)`;
    this.#passedOver = 0;
    this.#monitor.logEvent(
      'warn',
      'exec.stderr',
      sentence(`${this.#stream} wrote to its standard error${passedOver}: ${this.last}`),
    );
  }
}
