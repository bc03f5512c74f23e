import { asyncScheduler, concat, defer, EMPTY, ignoreElements, type Observable, of, timer } from 'rxjs';
import type { DiskFile, DiskStats, DiskSystem } from '../../ports/disk-system.js';

interface File {
  readonly kind: 'file';
  readonly ino: bigint;
  names: number;
  bytes: Uint8Array;
  /** How much of it outlasts a power cut. */
  durableBytes: number;
  isOpen: boolean;
  modifiedMs: number;
}

interface Folder {
  readonly kind: 'folder';
  readonly ino: bigint;
  readonly entries: Map<string, File | Folder>;
  /** The entries that outlast a power cut. */
  readonly durable: Map<string, File | Folder>;
}

/** A rename between two folders: one change, durable in both or in none. */
interface Move {
  readonly from: Folder;
  readonly old: string;
  readonly to: Folder;
}

/**
 * A disk in memory: what each call does is visible at once, and outlasts a power cut only when its file or folder was
 * synced. A rename is one change of both folders, as a journal keeps it. Bounds: none; it keeps every byte.
 */
export class MemoryDisk implements DiskSystem {
  readonly #latencyMs: () => number;
  readonly #root: Folder;
  #moves: Move[] = [];
  #made = 0n;
  /** How often the power was cut. */
  cuts = 0;

  constructor({ latencyMs }: { readonly latencyMs: () => number }) {
    this.#latencyMs = latencyMs;
    this.#root = this.#newFolder();
  }

  realpath(path: string): Observable<string> {
    return this.#call(() => {
      this.#at('realpath', path);
      return `/${path.split('/').filter(Boolean).join('/')}`;
    });
  }

  stat(path: string): Observable<DiskStats> {
    return this.#call(() => this.#statsOf(this.#at('stat', path)));
  }

  lstat(path: string): Observable<DiskStats> {
    return this.stat(path);
  }

  readdir(path: string): Observable<readonly string[]> {
    return this.#call(() => [...this.#folderAt('readdir', path).entries.keys()].sort());
  }

  open(path: string, flags: 'wx' | 'r'): Observable<DiskFile> {
    return this.#call(() => {
      const { folder, name } = this.#placeOf('open', path);
      const existing = folder.entries.get(name);
      if (flags === 'r') {
        if (existing === undefined) throw failed('ENOENT', 'open', path);
        if (existing.kind === 'folder') throw failed('EISDIR', 'open', path);
        return this.#opened(existing, false);
      }
      if (existing !== undefined) throw failed('EEXIST', 'open', path);
      this.#made += 1n;
      const file: File = {
        kind: 'file',
        ino: this.#made,
        names: 1,
        bytes: new Uint8Array(0),
        durableBytes: 0,
        isOpen: true,
        modifiedMs: asyncScheduler.now(),
      };
      folder.entries.set(name, file);
      return this.#opened(file, true);
    });
  }

  link(from: string, to: string): Observable<unknown> {
    return this.#call(() => {
      const file = this.#at('link', from);
      const { folder, name } = this.#placeOf('link', to);
      if (folder.entries.has(name)) throw failed('EEXIST', 'link', to);
      if (file.kind === 'folder') throw failed('EPERM', 'link', from);
      file.names += 1;
      folder.entries.set(name, file);
    });
  }

  rename(from: string, to: string): Observable<unknown> {
    return this.#call(() => {
      const source = this.#placeOf('rename', from);
      const target = this.#placeOf('rename', to);
      const moved = source.folder.entries.get(source.name);
      const replaced = target.folder.entries.get(target.name);
      if (moved === undefined) throw failed('ENOENT', 'rename', from);
      if (replaced?.kind === 'folder') throw failed('EISDIR', 'rename', to);
      if (moved === replaced) return;
      if (replaced !== undefined) replaced.names -= 1;
      source.folder.entries.delete(source.name);
      target.folder.entries.set(target.name, moved);
      this.#moves.push({ from: source.folder, old: source.name, to: target.folder });
    });
  }

  unlink(path: string): Observable<unknown> {
    return this.#call(() => {
      const file = this.#at('unlink', path);
      if (file.kind === 'folder') throw failed('EISDIR', 'unlink', path);
      const { folder, name } = this.#placeOf('unlink', path);
      folder.entries.delete(name);
      file.names -= 1;
    });
  }

  mkdir(path: string): Observable<unknown> {
    return this.#call(() => {
      const { folder, name } = this.#placeOf('mkdir', path);
      if (folder.entries.has(name)) throw failed('EEXIST', 'mkdir', path);
      folder.entries.set(name, this.#newFolder());
    });
  }

  rm(path: string): Observable<unknown> {
    return this.#call(() => {
      const removed = this.#at('rm', path);
      const { folder, name } = this.#placeOf('rm', path);
      folder.entries.delete(name);
      for (const file of filesBelow(removed)) file.names -= 1;
    });
  }

  syncFolder(path: string): Observable<unknown> {
    return this.#call(() => this.#sync(this.#folderAt('open', path)));
  }

  /** Every file by path, as a reader sees it. */
  files(): Record<string, Uint8Array> {
    return Object.fromEntries([...this.#walk()].map(([path, { bytes }]) => [path, bytes]));
  }

  /** The paths of files that are being written, or were given up. */
  unfinished(): readonly string[] {
    return [...this.#walk()].flatMap(([path, { isOpen }]) => (isOpen ? [path] : []));
  }

  /** A reader takes the file away, for good. What it saw was moved there before, and the journal has its order. */
  take(path: string): Uint8Array {
    const { folder, name } = this.#placeOf('take', path);
    const file = folder.entries.get(name);
    if (file?.kind !== 'file') throw failed('ENOENT', 'take', path);
    this.#sync(folder);
    for (const entries of [folder.entries, folder.durable]) entries.delete(name);
    file.names -= 1;
    return file.bytes;
  }

  /** The power goes: of what is not synced the system has written, by itself, what `isWritten` says of each file and folder. */
  cutPower(isWritten: () => boolean): void {
    this.cuts += 1;
    for (const folder of this.#folders()) if (isWritten()) this.#sync(folder);
    this.#moves = [];
    this.#restore(this.#root, new Map(), isWritten);
  }

  #restore(folder: Folder, seen: Map<File, number>, isWritten: () => boolean): void {
    folder.entries.clear();
    for (const [name, node] of folder.durable) {
      folder.entries.set(name, node);
      if (node.kind === 'folder') this.#restore(node, seen, isWritten);
      else {
        if (!seen.has(node) && !isWritten()) node.bytes = node.bytes.slice(0, node.durableBytes);
        const names = (seen.get(node) ?? 0) + 1;
        seen.set(node, names);
        Object.assign(node, { names, durableBytes: node.bytes.length, isOpen: false });
      }
    }
  }

  #sync(folder: Folder): void {
    folder.durable.clear();
    for (const [name, node] of folder.entries) folder.durable.set(name, node);
    const kept = this.#moves.filter(({ from, to }) => from === folder || to === folder);
    if (kept.length === 0) return;
    this.#moves = this.#moves.filter((move) => !kept.includes(move));
    for (const { from, old, to } of kept) {
      if (to === folder && !from.entries.has(old)) from.durable.delete(old);
      // The rest of the other folder follows: a journal keeps the order of changes.
      if (from === folder && to !== folder) this.#sync(to);
    }
  }

  #opened(file: File, isWriter: boolean): DiskFile {
    let at = 0;
    return {
      write: (chunk, from) =>
        this.#call(() => {
          const rest = chunk.subarray(from);
          const whole = new Uint8Array(file.bytes.length + rest.length);
          whole.set(file.bytes);
          whole.set(rest, file.bytes.length);
          file.bytes = whole;
          file.modifiedMs = asyncScheduler.now();
          return rest.length;
        }),
      read: (into) =>
        this.#call(() => {
          const part = file.bytes.subarray(at, at + into.length);
          into.set(part);
          at += part.length;
          return part.length;
        }),
      readAt: (into, from) =>
        this.#call(() => {
          const part = file.bytes.subarray(from, from + into.length);
          into.set(part);
          return part.length;
        }),
      sync: () =>
        this.#call(() => {
          file.durableBytes = file.bytes.length;
        }),
      stat: () => this.#call(() => this.#statsOf(file)),
      close: () =>
        this.#call(() => {
          if (isWriter) file.isOpen = false;
        }),
    };
  }

  #call<T>(work: () => T): Observable<T> {
    return defer(() => {
      const answer = work();
      const ms = this.#latencyMs();
      return concat(ms > 0 ? timer(ms).pipe(ignoreElements()) : EMPTY, of(answer));
    });
  }

  #newFolder(): Folder {
    this.#made += 1n;
    return { kind: 'folder', ino: this.#made, entries: new Map(), durable: new Map() };
  }

  #at(syscall: string, path: string): File | Folder {
    let node: File | Folder = this.#root;
    for (const name of path.split('/').filter(Boolean)) {
      if (node.kind === 'file') throw failed('ENOTDIR', syscall, path);
      const next: File | Folder | undefined = node.entries.get(name);
      if (next === undefined) throw failed('ENOENT', syscall, path);
      node = next;
    }
    return node;
  }

  #folderAt(syscall: string, path: string): Folder {
    const node = this.#at(syscall, path);
    if (node.kind === 'file') throw failed('ENOTDIR', syscall, path);
    return node;
  }

  #placeOf(syscall: string, path: string): { readonly folder: Folder; readonly name: string } {
    const end = path.lastIndexOf('/');
    return { folder: this.#folderAt(syscall, path.slice(0, end)), name: path.slice(end + 1) };
  }

  #statsOf(node: File | Folder): DiskStats {
    const isFolder = node.kind === 'folder';
    return {
      dev: 1n,
      ino: node.ino,
      nlink: isFolder ? 2n : BigInt(node.names),
      size: isFolder ? 0n : BigInt(node.bytes.length),
      mtimeMs: BigInt(isFolder ? 0 : Math.trunc(node.modifiedMs)),
      birthtimeNs: node.ino,
      isDirectory: () => isFolder,
    };
  }

  *#walk(folder = this.#root, above = ''): Generator<[string, File]> {
    for (const [name, node] of [...folder.entries].sort(([one], [other]) => (one < other ? -1 : 1))) {
      const path = `${above}/${name}`;
      if (node.kind === 'folder') yield* this.#walk(node, path);
      else yield [path, node];
    }
  }

  *#folders(folder = this.#root): Generator<Folder> {
    yield folder;
    for (const node of [...folder.entries.values()]) if (node.kind === 'folder') yield* this.#folders(node);
  }
}

function* filesBelow(node: File | Folder): Generator<File> {
  if (node.kind === 'file') yield node;
  else for (const one of node.entries.values()) yield* filesBelow(one);
}

function failed(code: string, syscall: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${syscall} '${path}'`), { code, syscall });
}
