import { describeError } from '../../core/errors.js';
import type { Metric, Monitor } from '../../core/monitor.js';
import { sentence } from '../../core/sentence.js';
import type { ArrivalListener } from './arrivals.js';
import type { FlumePosition } from './flume-positions.js';
import type { FileEntry } from './identity.js';

/** Paths that are kept as reported; with more of them all are forgotten, and reported again. */
const MAX_REPORTED = 10_000;

/**
 * Files that cannot be read, each reported once until it can be; the others go on.
 *
 * Bounds: 10,000 paths.
 */
export class Troubles implements ArrivalListener {
  readonly #monitor: Monitor;
  readonly #unreadable: Metric;
  readonly #reported = new Map<string, string>();
  #isBeyond = false;

  constructor(monitor: Monitor, unreadable: Metric) {
    this.#monitor = monitor;
    this.#unreadable = unreadable;
  }

  unreadable(path: string, error: unknown): void {
    const why = describeError(error);
    const isKnown = this.#reported.has(path);
    if (this.#reported.size >= MAX_REPORTED) this.#reported.clear();
    this.#reported.set(path, why);
    this.#unreadable.set(this.#reported.size);
    if (isKnown) return;
    const next =
      'The others are read; it is tried again at each look into the folders. Let this user read it, or `exclude` it';
    this.#monitor.logEvent('warn', 'tail.unreadable', sentence(`Cannot read ${path}: ${why}`, next), { path });
  }

  readable(path: string): void {
    if (!this.#reported.delete(path)) return;
    this.#unreadable.set(this.#reported.size);
    this.#monitor.logEvent('info', 'tail.readable', `${path} can be read again.`, { path });
  }

  /** What a look into the folders found. */
  scanned(
    unreadable: readonly { readonly path: string; readonly error: unknown }[],
    beyond: number,
    maxFiles: number,
  ): void {
    for (const { path, error } of unreadable) this.unreadable(path, error);
    if (beyond > 0 && !this.#isBeyond) {
      const message = `${beyond} files more than \`maxFiles\`, ${maxFiles}, match and are not read. Raise it, or let another source read them.`;
      this.#monitor.logEvent('warn', 'tail.beyond', message, { beyond, maxFiles });
    }
    this.#isBeyond = beyond > 0;
  }

  imported({ pos, file }: FlumePosition, path: string): void {
    const was = file === path ? '' : `, which Flume knew as ${file}`;
    const message = `${path}${was} is read from byte ${pos}, where Flume has ended.`;
    this.#monitor.logEvent('info', 'tail.imported', message, { path, file, pos });
  }

  notImported({ inode, pos, file }: FlumePosition, why: string): void {
    const next =
      'The position is not used. If the file still exists, it is read as `startAt` says; compare what is stored of it with what Flume has stored';
    const message = sentence(`Flume has read ${file} (inode ${inode}) up to byte ${pos}, but ${why}`, next);
    this.#monitor.logEvent('warn', 'tail.notImported', message, { file, inode, pos });
  }

  replaced({ stream, offset }: FileEntry, path: string): void {
    const message =
      `${path} no longer holds what ${stream} was read from up to byte ${offset}: it was cut, or its inode belongs to another file now. It ` +
      'is read from its beginning; what it held behind that byte is lost, unless a copy of it matches a path.';
    this.#monitor.logEvent('warn', 'tail.replaced', message, { path, stream, offset });
  }
}
