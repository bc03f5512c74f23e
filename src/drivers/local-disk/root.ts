import { realpath } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { SinkError } from '../../core/errors.js';
import { systemCode } from './disk-error.js';

/**
 * The folder that stands for `/`. Finds the real place of a path, symbolic links followed, and refuses one outside.
 * Bounds: what changes links between the look and the use is not held; nobody else may make links in the root.
 * Fails: `RXF_FILES_DENIED`.
 */
export class Root {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Throws for a path that leads out of the root by its names alone. */
  expectInside(path: string): void {
    this.#plain(path);
  }

  /** Where a path stands on the machine; the last name itself is not followed, so that a link is what is moved or removed. */
  async entry(path: string): Promise<string> {
    const plain = this.#plain(path);
    if (plain === this.#folder) return this.#check(path, await resolve(plain));
    return this.#check(path, join(await resolve(dirname(plain)), basename(plain)));
  }

  /** Where a path leads to on the machine. */
  async target(path: string): Promise<string> {
    return this.#check(path, await resolve(this.#plain(path)));
  }

  /** Whether a real path is the root itself. */
  async is(real: string): Promise<boolean> {
    return real === (await resolve(this.#folder));
  }

  #plain(path: string): string {
    const outside = path.split(/[\\/]/).some((name) => name === '..' || name === '.');
    if (outside || !path.startsWith('/') || path.includes('\0')) throw this.#refused(path);
    return join(this.#folder, path).replace(/(?<=.)[\\/]+$/, '');
  }

  async #check(path: string, real: string): Promise<string> {
    const root = await resolve(this.#folder);
    if (real === root || real.startsWith(root.endsWith(sep) ? root : root + sep)) return real;
    throw this.#refused(path);
  }

  #refused(path: string): SinkError {
    const message = `Refused ${path}: it leads out of \`root\` ${this.#folder}. Give an absolute path without \`..\` and without links to elsewhere`;
    return new SinkError('RXF_FILES_DENIED', message, { details: { path, root: this.#folder } });
  }
}

/** The real path, of which the end may not stand yet. */
async function resolve(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const parent = dirname(path);
    if (systemCode(error) !== 'ENOENT' || parent === path) throw error;
    return join(await resolve(parent), basename(path));
  }
}
