import { concat, defer, EMPTY, ignoreElements, Observable, of, throwError, timer } from 'rxjs';
import { ConnectError } from '../../core/errors.js';
import type { LocalFile, LocalFileStats, LocalFiles, LocalName } from '../../ports/local-files.js';

export interface MemoryLocalFilesOptions {
  readonly host?: string;
  /** How long each call takes, in virtual time. Default 0. */
  readonly latencyMs?: number | (() => number);
  /** The most bytes that one read answers with. Default: all that are asked for. */
  readonly readBytes?: () => number;
  /** Whether the inode of a deleted file is given to the next one, as ext4 does. Default true. */
  readonly reusesInodes?: boolean;
  /** Whether files have a birth time; NFS tells none. Default true. */
  readonly hasBirthTimes?: boolean;
}

interface Inode {
  readonly ino: bigint;
  readonly birthtimeNs: bigint;
  bytes: Buffer;
  mtimeNs: bigint;
  names: number;
  handles: number;
}

/**
 * The files of a machine in memory, in virtual time, as a file system keeps them: a name leads to an inode, which lives for as long as
 * it has a name or is open, and which another file may get afterwards. Bounds: none; it keeps every byte.
 *
 * ```ts
 * import { MemoryLocalFiles } from 'rxflume/testing';
 *
 * const files = new MemoryLocalFiles();
 * files.append('/log/app.log', 'one\n');
 * files.rename('/log/app.log', '/log/app.log.1');
 * files.text('/log/app.log.1'); // → 'one\n'
 * ```
 */
export class MemoryLocalFiles implements LocalFiles {
  readonly host: string;
  readonly name: string;
  readonly #options: MemoryLocalFilesOptions;
  readonly #names = new Map<string, Inode>();
  readonly #links = new Map<string, string>();
  readonly #denied = new Set<string>();
  readonly #claimed = new Set<string>();
  readonly #freed: bigint[] = [];
  #inodes = 0n;
  #ticks = 1n;
  /** The device of all files; another after a mount. */
  dev = 1n;
  /** How many files are open now, and the most that were. */
  openFiles = 0;
  mostOpen = 0;
  /** What `replace` fails with, while it is set. */
  replaceError: Error | undefined;

  constructor(options: MemoryLocalFilesOptions = {}) {
    this.#options = options;
    this.host = options.host ?? 'memory';
    this.name = `files of ${this.host}`;
  }

  // What other programs do, at once.

  /** Writes behind what the file has; makes it where there is none. */
  append(path: string, text: string | Uint8Array): void {
    const inode = this.#names.get(path) ?? this.#made(path);
    inode.bytes = Buffer.concat([inode.bytes, typeof text === 'string' ? Buffer.from(text) : text]);
    inode.mtimeNs = this.#tick();
  }

  rename(from: string, to: string): void {
    const inode = this.#inode(from, 'rename');
    if (from === to) return;
    this.remove(to);
    this.#names.delete(from);
    this.#names.set(to, inode);
  }

  remove(path: string): void {
    this.#links.delete(path);
    const inode = this.#names.get(path);
    if (inode === undefined) return;
    this.#names.delete(path);
    inode.names -= 1;
    this.#free(inode);
  }

  /** Cuts the file to that many bytes, in place. */
  truncate(path: string, bytes = 0): void {
    const inode = this.#inode(path, 'truncate');
    inode.bytes = inode.bytes.subarray(0, bytes);
    inode.mtimeNs = this.#tick();
  }

  /** A second name for the same file. */
  link(from: string, to: string): void {
    const inode = this.#inode(from, 'link');
    inode.names += 1;
    this.#names.set(to, inode);
  }

  symlink(target: string, path: string): void {
    this.#links.set(path, target);
  }

  /** Lets nobody open the file, or all again. */
  deny(path: string, isDenied = true): void {
    if (isDenied) this.#denied.add(path);
    else this.#denied.delete(path);
  }

  text(path: string): string {
    return this.#inode(path, 'open').bytes.toString();
  }

  get paths(): readonly string[] {
    return [...this.#names.keys()].sort();
  }

  // The port.

  list(folder: string): Observable<readonly LocalName[]> {
    return this.#call(() => {
      const start = folder.endsWith('/') ? folder : `${folder}/`;
      const found = new Map<string, LocalName['kind']>();
      for (const path of [...this.#names.keys(), ...this.#links.keys()]) {
        if (!path.startsWith(start)) continue;
        const [name = '', ...below] = path.slice(start.length).split('/');
        if (below.length > 0) found.set(name, 'folder');
        else found.set(name, this.#links.has(path) ? 'link' : 'file');
      }
      if (found.size === 0) throw failed('ENOENT', 'scandir', folder);
      return [...found].map(([name, kind]) => ({ name, kind }));
    });
  }

  stat(path: string): Observable<LocalFileStats> {
    return this.#call(() => {
      const target = this.#links.get(path) ?? path;
      const isFolder = [...this.#names.keys()].some((one) => one.startsWith(`${target}/`));
      if (isFolder) return { ...this.#statsOf(this.#newInode(0n)), kind: 'folder' };
      return this.#statsOf(this.#inode(target, 'stat'));
    });
  }

  open(path: string): Observable<LocalFile> {
    return this.#call(() => {
      if (this.#denied.has(path)) throw failed('EACCES', 'open', path);
      const inode = this.#inode(this.#links.get(path) ?? path, 'open');
      inode.handles += 1;
      this.openFiles += 1;
      this.mostOpen = Math.max(this.mostOpen, this.openFiles);
      return this.#opened(inode);
    });
  }

  readWhole(path: string): Observable<Uint8Array | null> {
    return this.#call(() => this.#names.get(path)?.bytes ?? null);
  }

  claim(path: string): Observable<unknown> {
    return new Observable((subscriber) => {
      if (this.#claimed.has(path)) {
        subscriber.error(new ConnectError('RXF_TAIL_IN_USE', `The position file ${path} is in use by another source.`));
        return undefined;
      }
      this.#claimed.add(path);
      subscriber.next(undefined);
      return () => this.#claimed.delete(path);
    });
  }

  replace(path: string, bytes: Uint8Array): Observable<unknown> {
    return defer(() => {
      if (this.replaceError !== undefined) return throwError(() => this.replaceError);
      return this.#call(() => {
        this.remove(path);
        this.append(path, bytes);
      });
    });
  }

  #opened(inode: Inode): LocalFile {
    let isOpen = true;
    return {
      stat: () => this.#call(() => this.#statsOf(inode)),
      read: (into, position) =>
        this.#call(() => {
          const most = Math.max(1, this.#options.readBytes?.() ?? into.length);
          const part = inode.bytes.subarray(position, position + Math.min(into.length, most));
          into.set(part);
          return part.length;
        }),
      close: () =>
        this.#call(() => {
          if (!isOpen) return;
          isOpen = false;
          inode.handles -= 1;
          this.openFiles -= 1;
          this.#free(inode);
        }),
    };
  }

  /** The work is done at the call; its answer takes as long as it takes. */
  #call<T>(work: () => T): Observable<T> {
    return defer(() => {
      const answer = work();
      const { latencyMs = 0 } = this.#options;
      const ms = typeof latencyMs === 'function' ? latencyMs() : latencyMs;
      return concat(ms > 0 ? timer(ms).pipe(ignoreElements()) : EMPTY, of(answer));
    });
  }

  #made(path: string): Inode {
    const reused = this.#options.reusesInodes === false ? undefined : this.#freed.pop();
    if (reused === undefined) this.#inodes += 1n;
    const inode = this.#newInode(reused ?? this.#inodes);
    this.#names.set(path, inode);
    return inode;
  }

  #newInode(ino: bigint): Inode {
    const now = this.#tick();
    const birthtimeNs = this.#options.hasBirthTimes === false ? 0n : now;
    return { ino, birthtimeNs, bytes: Buffer.alloc(0), mtimeNs: now, names: 1, handles: 0 };
  }

  #free(inode: Inode): void {
    if (inode.names === 0 && inode.handles === 0) this.#freed.push(inode.ino);
  }

  #inode(path: string, syscall: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw failed('ENOENT', syscall, path);
    return inode;
  }

  #statsOf({ ino, birthtimeNs, mtimeNs, names, bytes }: Inode): LocalFileStats {
    return { dev: this.dev, ino, birthtimeNs, mtimeNs, nlink: names, size: bytes.length, kind: 'file' };
  }

  #tick(): bigint {
    this.#ticks += 1n;
    return this.#ticks;
  }
}

function failed(code: string, syscall: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${syscall} '${path}'`), { code, syscall });
}
