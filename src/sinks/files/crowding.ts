import { monotonicMs } from '../../core/clock.js';
import type { Monitor } from '../../core/monitor.js';

const WINDOW_MS = 60_000;
const ENOUGH_FILES = 100;
const FEW_VALUES = 100;

/**
 * Detects that a bound on open files makes tiny files: files that are closed only to make room, and hold few values. Many
 * such files burden a NameNode and everyone who reads them, and nothing else says so.
 *
 * Bounds: one log event a minute; three counts.
 */
export class Crowding {
  readonly #of: { readonly root: string; readonly maxOpenFiles: number; readonly monitor: Monitor };
  #since = Number.NEGATIVE_INFINITY;
  #rolled = 0;
  #files = 0;
  #values = 0;
  #isLogged = false;

  constructor(of: { readonly root: string; readonly maxOpenFiles: number; readonly monitor: Monitor }) {
    this.#of = of;
  }

  /** That many files are closed to make room. */
  rolled(files: number): void {
    this.#begin();
    this.#rolled += files;
  }

  stored(values: number): void {
    // Nothing was closed to make room: the way of most sinks, all the time.
    if (this.#rolled === 0) return;
    this.#begin();
    this.#files += 1;
    this.#values += values;
    if (this.#isLogged || this.#files < ENOUGH_FILES || this.#rolled * 2 < this.#files) return;
    if (this.#values / this.#files < FEW_VALUES) this.#logEvent();
  }

  #begin(): void {
    const now = monotonicMs();
    if (now - this.#since < WINDOW_MS) return;
    this.#since = now;
    this.#rolled = 0;
    this.#files = 0;
    this.#values = 0;
    this.#isLogged = false;
  }

  #logEvent(): void {
    this.#isLogged = true;
    const { root, maxOpenFiles, monitor } = this.#of;
    const valuesPerFile = Math.round((this.#values / this.#files) * 10) / 10;
    monitor.logEvent(
      'warn',
      'files.crowded',
      `${root}: files are closed early because ${maxOpenFiles} are open, the most that \`maxOpenFiles\` allows. The last ` +
        `${this.#files} files hold ${valuesPerFile} values each on average. Raise \`maxOpenFiles\`, or give values fewer ` +
        'buckets by a coarser `path`.',
      { root, maxOpenFiles, files: this.#files, valuesPerFile },
    );
  }
}
