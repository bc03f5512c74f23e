import { basename, dirname, join, sep } from 'node:path';
import { SinkError } from '../../core/errors.js';
import { isWellFormed, shownPath } from '../../core/text.js';
import type { DiskSystem } from '../../ports/disk-system.js';
import { systemCode } from './disk-error.js';
import { type Steps, wait } from './steps.js';

/**
 * The folder that stands for `/`. Finds the real place of a path, symbolic links followed, and rejects one outside.
 * Bounds: what changes links between the look and the use is not held; nobody else may make links in the root.
 * Fails: `RXF_FILES_DENIED`; `RXF_FILES_NAME` for what the disk would store under another name.
 */
export class Root {
  readonly #system: DiskSystem;
  readonly #folder: string;

  constructor(system: DiskSystem, folder: string) {
    this.#system = system;
    this.#folder = folder;
  }

  /** Throws for a path that leads out of the root by its names alone. */
  expectInside(path: string): void {
    this.#plain(path);
  }

  /** Where a path is on the machine; the last name itself is not followed, so that a link is what is moved or removed. */
  *entry(path: string): Steps<string> {
    const plain = this.#plain(path);
    if (plain === this.#folder) return yield* this.#check(path, yield* this.#resolve(plain));
    return yield* this.#check(path, join(yield* this.#resolve(dirname(plain)), basename(plain)));
  }

  /** Where a path leads to on the machine. */
  *target(path: string): Steps<string> {
    return yield* this.#check(path, yield* this.#resolve(this.#plain(path)));
  }

  /** Whether a real path is the root itself. */
  *is(real: string): Steps<boolean> {
    return real === (yield* this.#resolve(this.#folder));
  }

  #plain(path: string): string {
    const outside = path.split(/[\\/]/).some((name) => name === '..' || name === '.');
    if (outside || !path.startsWith('/') || path.includes('\0')) throw this.#rejected(path);
    // The disk would store U+FFFD for it, and never find again what it was asked to store.
    if (!isWellFormed(path)) throw this.#unstorable(path);
    return join(this.#folder, path).replace(/(?<=.)[\\/]+$/, '');
  }

  *#check(path: string, real: string): Steps<string> {
    const root = yield* this.#resolve(this.#folder);
    if (real === root || real.startsWith(root.endsWith(sep) ? root : root + sep)) return real;
    throw this.#rejected(path);
  }

  #unstorable(path: string): SinkError {
    const message = `Rejected ${shownPath(path)}: it has an unpaired surrogate, which no disk stores. Choose another name.`;
    return new SinkError('RXF_FILES_NAME', message, { details: { path } });
  }

  #rejected(path: string): SinkError {
    const message = `Rejected ${path}: it leads out of \`root\` ${this.#folder}. Give an absolute path without \`..\` and without links to elsewhere.`;
    return new SinkError('RXF_FILES_DENIED', message, { details: { path, root: this.#folder } });
  }

  /** The real path, of which the end may not exist yet. */
  *#resolve(path: string): Steps<string> {
    for (let existing = path; ; existing = dirname(existing)) {
      try {
        return join(yield* wait(this.#system.realpath(existing)), path.slice(existing.length));
      } catch (error) {
        if (systemCode(error) !== 'ENOENT' || dirname(existing) === existing) throw error;
      }
    }
  }
}
