import { dirname, join } from 'node:path';
import type { Observable } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import { isWellFormed, shownPath } from '../../core/text.js';
import type { Fact } from '../../delivery/probe.js';
import type { DiskSystem } from '../../ports/disk-system.js';
import type { FileInput, FoundFile } from '../../ports/file-input.js';
import type { FileStatus, FileSystem, FileWriter } from '../../ports/file-system.js';
import { absentAs, translated } from './disk-error.js';
import { DiskWriter } from './disk-writer.js';
import { Durability, statsOrNull } from './durability.js';
import { type Ground, type Moved, publish, take } from './move.js';
import { checkOptions, type LocalDiskOptions } from './options.js';
import { expectHoldable, pathProblem } from './path-problem.js';
import { diskProbe } from './probe.js';
import { Root } from './root.js';
import { carryOut, type Steps, wait } from './steps.js';
import { nodeSystem } from './system.js';
import { Unmoved } from './unmoved.js';

const READ_BYTES = 64 * 1024;

/**
 * A folder of this machine's disk. What it answers outlasts a power cut, also to a look: a file that another process has
 * just moved, and not synced, is synced before it is reported.
 *
 * ```ts
 * import { fileSink, jsonLines } from 'rxflume';
 * import { localDisk } from 'rxflume/drivers/local-disk';
 *
 * export const files = fileSink(localDisk({ root: '/srv/lake' }), { root: '/chat', format: jsonLines() });
 * ```
 *
 * Bounds: one chunk per open file; an answer of `read` at most `maxBytes`; 10,000 names of folders and of files.
 * Fails: `SinkError`, `RXF_FILES_*`; a wrong option throws `OptionError` here.
 * Source: POSIX `fsync` of a file and of its folder, `rename`, `link`.
 */
export function localDisk(options: LocalDiskOptions = {}): FileSystem & FileInput {
  return localDiskOn(nodeSystem, options);
}

/** The same over other calls of a system than Node's, such as a test's. */
export function localDiskOn(system: DiskSystem, options: LocalDiskOptions = {}): FileSystem & FileInput {
  const { root, fsync } = checkOptions(options);
  return new LocalDisk(system, root, fsync === 'always');
}

class LocalDisk implements FileSystem, FileInput {
  readonly name: string;
  readonly #folder: string;
  readonly #ground: Ground;
  readonly #root: Root;

  constructor(system: DiskSystem, root: string, sync: boolean) {
    this.name = `local disk ${root}`;
    this.#folder = root;
    this.#ground = { system, durability: new Durability(system, sync), unmoved: new Unmoved() };
    this.#root = new Root(system, root);
  }

  pathProblem(path: string): string | null {
    return pathProblem(path, this.#folder);
  }

  makeFolder(path: string): Observable<void> {
    return this.#answer(`make the folder ${shownPath(path)}`, path, () => this.#makeFolder(path));
  }

  create(path: string): FileWriter {
    return new DiskWriter(this.#ground, this.#root, path, () => this.#expectHoldable(path));
  }

  rename(from: string, to: string): Observable<Moved> {
    return this.#move(take, 'rename', from, to);
  }

  publish(from: string, to: string): Observable<Moved> {
    return this.#move(publish, 'move', from, to);
  }

  status(path: string): Observable<FileStatus | null> {
    return this.#answer(`look at ${path}`, path, () => this.#durableStatus(path));
  }

  list(folder: string): Observable<readonly FileStatus[]> {
    return this.#answer(`list ${folder}`, folder, () => this.#list(folder));
  }

  read(path: string, maxBytes: number): Observable<Uint8Array> {
    return this.#answer(`read ${path}`, path, () => this.#read(path, maxBytes));
  }

  scan(folder: string): Observable<readonly FoundFile[]> {
    return this.#answer(`list ${folder}`, folder, () => this.#scan(folder));
  }

  look(path: string): Observable<FoundFile | null> {
    return this.#answer(`look at ${path}`, path, () => this.#find(path));
  }

  readAt(path: string, from: number, maxBytes: number): Observable<Uint8Array> {
    return this.#answer(`read ${path}`, path, () => this.#readAt(path, from, maxBytes));
  }

  remove(path: string): Observable<boolean> {
    return this.#answer(`remove ${path}`, path, () => absentAs(false, this.#remove(path)));
  }

  probe(folder: string): Observable<Fact> {
    return diskProbe(join(this.#folder, folder));
  }

  #expectHoldable(path: string): void {
    this.#root.expectInside(path);
    expectHoldable(path, this.#folder);
  }

  /** Whether a file can have this path. Half of a surrogate pair would be taken for another character, and another file found. */
  #isHoldable(path: string): boolean {
    if (pathProblem(path, this.#folder) === null) return true;
    // A path that leads elsewhere is an error; at one that the disk cannot hold, there is no file.
    if (isWellFormed(path)) this.#root.expectInside(path);
    return false;
  }

  #move(how: typeof take, doing: string, from: string, to: string): Observable<Moved> {
    return this.#answer(`${doing} ${shownPath(from)} to ${shownPath(to)}`, from, () => this.#moving(how, from, to));
  }

  *#makeFolder(path: string): Steps<void> {
    this.#expectHoldable(path);
    yield* this.#ground.durability.makeFolder(yield* this.#root.entry(path));
  }

  *#moving(how: typeof take, from: string, to: string): Steps<Moved> {
    this.#expectHoldable(to);
    return yield* how(this.#ground, yield* this.#root.entry(from), yield* this.#root.entry(to));
  }

  *#list(folder: string): Steps<readonly FileStatus[]> {
    if (!this.#isHoldable(folder)) return [];
    const { system, durability } = this.#ground;
    const real = yield* absentAs(null, this.#root.target(folder));
    const names = real === null ? null : yield* absentAs(null, wait(system.readdir(real)));
    if (real === null || names === null) return [];
    yield* durability.folder(real);
    const above = folder === '/' ? '' : folder.replace(/\/+$/, '');
    const found: FileStatus[] = [];
    for (const name of [...names].sort()) {
      const path = `${above}/${name}`;
      const { status } = yield* rejectedAs({ status: null, real: null }, this.#look(path));
      if (status) found.push(status);
    }
    return found;
  }

  *#durableStatus(path: string): Steps<FileStatus | null> {
    const { status, real } = yield* this.#look(path);
    if (real === null || status === null || (yield* this.#root.is(real))) return status;
    yield* this.#ground.durability.folder(dirname(real));
    // It may have been moved on, or in, before the names were synced.
    return (yield* this.#look(path)).status;
  }

  *#scan(folder: string): Steps<readonly FoundFile[]> {
    if (!this.#isHoldable(folder)) return [];
    const real = yield* absentAs(null, this.#root.target(folder));
    const names = real === null ? null : yield* absentAs(null, wait(this.#ground.system.readdir(real)));
    const above = folder === '/' ? '' : folder.replace(/\/+$/, '');
    const found: FoundFile[] = [];
    for (const name of [...(names ?? [])].sort()) {
      const one = yield* rejectedAs(null, this.#find(`${above}/${name}`));
      if (one !== null) found.push(one);
    }
    return found;
  }

  *#find(path: string): Steps<FoundFile | null> {
    const { status, id } = yield* this.#look(path);
    return status && { ...status, id };
  }

  *#look(path: string): Steps<Looked> {
    if (!this.#isHoldable(path)) return { status: null, real: null };
    const real = yield* absentAs(null, this.#root.target(path));
    const found = real === null ? null : yield* statsOrNull(this.#ground.system.stat(real));
    if (found === null) return { status: null, real };
    const kind = found.isDirectory() ? 'folder' : 'file';
    const bytes = kind === 'folder' ? 0 : Number(found.size);
    // A device has another number after a restart; an inode is given again, to a file that is made later.
    const id = `${found.ino.toString(36)}-${found.birthtimeNs.toString(36)}`;
    return { status: { path, kind, bytes, modifiedMs: Number(found.mtimeMs) }, real, id };
  }

  *#read(path: string, maxBytes: number): Steps<Uint8Array> {
    const { system, durability } = this.#ground;
    const real = yield* this.#root.target(path);
    const handle = yield* wait(system.open(real, 'r'));
    try {
      const { size } = yield* wait(handle.stat());
      const chunks: Buffer[] = [];
      for (let bytes = 0; ; ) {
        const known = Math.max(Number(size), bytes);
        if (known > maxBytes) throw tooLarge(path, known, maxBytes);
        const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, maxBytes - bytes + 1));
        const read = yield* wait(handle.read(buffer));
        if (read === 0) break;
        chunks.push(buffer.subarray(0, read));
        bytes += read;
      }
      yield* durability.file(handle, real);
      yield* durability.folder(dirname(real));
      return Buffer.concat(chunks);
    } finally {
      yield* wait(handle.close());
    }
  }

  *#readAt(path: string, from: number, maxBytes: number): Steps<Uint8Array> {
    const handle = yield* wait(this.#ground.system.open(yield* this.#root.target(path), 'r'));
    try {
      const { size } = yield* wait(handle.stat());
      const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(maxBytes, Number(size) - from)));
      let bytes = 0;
      while (bytes < buffer.length) {
        const read = yield* wait(handle.readAt(buffer.subarray(bytes), from + bytes));
        if (read === 0) break;
        bytes += read;
      }
      return buffer.subarray(0, bytes);
    } finally {
      yield* wait(handle.close());
    }
  }

  *#remove(path: string): Steps<boolean> {
    const { system, durability, unmoved } = this.#ground;
    const entry = yield* this.#root.entry(path);
    if (yield* this.#root.is(entry)) throw keepsRoot(path);
    yield* wait(system.rm(entry));
    durability.forget(entry);
    unmoved.forget(entry);
    yield* durability.folder(dirname(entry));
    return true;
  }

  #answer<T>(doing: string, path: string, work: () => Steps<T>): Observable<T> {
    return carryOut(() => translated(doing, path, work()));
  }
}

/** What is at a path, the real path where one leads there, and what names the file for as long as it exists. */
interface Looked {
  readonly status: FileStatus | null;
  readonly real: string | null;
  readonly id?: string;
}

/** A link to elsewhere is no part of the folder. */
function* rejectedAs<T, A>(rejected: A, steps: Steps<T>): Steps<T | A> {
  try {
    return yield* steps;
  } catch (error) {
    if (error instanceof SinkError && error.code === 'RXF_FILES_DENIED') return rejected;
    throw error;
  }
}

function tooLarge(path: string, bytes: number, maxBytes: number): SinkError {
  const message = `Could not read ${path}: it has ${bytes} bytes, over the limit of ${maxBytes}.`;
  return new SinkError('RXF_FILES_PROTOCOL', message, { details: { path, bytes, maxBytes } });
}

function keepsRoot(path: string): SinkError {
  const message = `Did not remove ${path}: it is \`root\` itself. Remove what it holds.`;
  return new SinkError('RXF_FILES_DENIED', message, { details: { path } });
}
