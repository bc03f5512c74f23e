import { readFileSync, type Stats, statSync } from 'node:fs';
import { describeError } from '../core/errors.js';
import { defaultMonitor } from '../core/monitor.js';
import { shownPath } from '../core/text.js';

/**
 * A small file that may be replaced while the program runs: read again where its inode, time or size has changed. If it cannot be read, or is
 * empty as one that is being written, what was read last stays in use and a log event says so.
 *
 * Bounds: its bytes, once. The constructor throws what Node throws where the file cannot be read.
 */
export class ChangingFile {
  readonly path: string;
  #bytes: Buffer;
  #stats: Stats;

  constructor(path: string) {
    this.path = path;
    this.#stats = statSync(path);
    this.#bytes = readFileSync(path);
  }

  /** The same buffer as long as the file has not changed. */
  read(): Buffer {
    try {
      const stats = statSync(this.path);
      if (isSame(stats, this.#stats)) return this.#bytes;
      const bytes = readFileSync(this.path);
      if (bytes.length === 0) return this.#bytes;
      this.#stats = stats;
      if (!bytes.equals(this.#bytes)) this.#bytes = bytes;
    } catch (cause) {
      const message = `Cannot read ${shownPath(this.path)} again, and keep what it was: ${describeError(cause)}.`;
      defaultMonitor.report({ what: 'security.file', about: this.path, message, cause });
    }
    return this.#bytes;
  }
}

function isSame(one: Stats, other: Stats): boolean {
  return (
    one.ino === other.ino &&
    one.dev === other.dev &&
    one.mtimeMs === other.mtimeMs &&
    one.ctimeMs === other.ctimeMs &&
    one.size === other.size
  );
}
