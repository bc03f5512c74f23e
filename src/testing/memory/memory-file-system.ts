import {
  asyncScheduler,
  concat,
  defer,
  EMPTY,
  ignoreElements,
  NEVER,
  type Observable,
  of,
  throwError,
  timer,
} from 'rxjs';
import { SinkError } from '../../core/errors.js';
import { expectKnown, expectMs, expectOneOf } from '../../core/options.js';
import type { FileInput, FoundFile } from '../../ports/file-input.js';
import type { FileStatus, FileSystem, FileWriter } from '../../ports/file-system.js';
import { expectHoldable, pathProblem } from './memory-file-names.js';
import { contentOf, MemoryFileWriter, type StoredFile } from './memory-file-writer.js';

/** What a fault can be put on. A `create` asks nothing by itself: its faults are those of `write` and `close`. */
export type FileVerb = 'makeFolder' | 'write' | 'close' | 'rename' | 'status' | 'list' | 'read' | 'remove' | InputVerb;
type InputVerb = 'scan' | 'look' | 'readAt';

export interface MemoryFileSystemOptions {
  /** How long each answer takes, in RxJS's milliseconds, virtual inside `TestScheduler.run`; 0 answers at once. Default 0. */
  readonly latencyMs?: number | ((verb: FileVerb, path: string) => number);
  readonly name?: string;
  /** `folded`: names that differ in their letters' case alone are one, as on the disks of macOS and Windows. Default `kept`. */
  readonly letterCase?: 'kept' | 'folded';
}

/** The fake, with what a test may ask and break. */
export interface MemoryFileSystem extends FileSystem, FileInput {
  /** Every file by path, those being written, and those given up, too. */
  files(): Record<string, Uint8Array>;
  /** A file as UTF-8 text; throws where there is none. */
  text(path: string): string;
  /** Another program writes a file, in one step; one of the same path is replaced by a new one, unless `isSame`: then it is rewritten. */
  put(path: string, content: Uint8Array | string, isSame?: boolean): void;
  /** The paths of files that were never closed. */
  unfinished(): readonly string[];
  /** A reader takes a file away, without any call of ours; throws where there is none. */
  take(path: string): Uint8Array;
  /** Every call that reached the store, in order, as `rename /a /b`. */
  readonly calls: readonly string[];
  /** The next such call fails with the error and does nothing. */
  failNext(verb: FileVerb, error?: unknown): void;
  /** The next such call is carried out, then fails: its answer was lost. */
  loseNext(verb: FileVerb, error?: unknown): void;
  /** The next such call is carried out and never answers. */
  hangNext(verb: FileVerb): void;
}

interface Fault {
  readonly kind: 'fail' | 'lose' | 'hang';
  readonly error: unknown;
}

/**
 * A file system in memory, for tests. It holds what HDFS and local disks both hold, and rejects other names as they do.
 *
 * ```ts
 * import { memoryFileSystem } from 'rxflume/testing';
 *
 * const fs = memoryFileSystem();
 * fs.failNext('rename');
 * Object.keys(fs.files()); // → []
 * ```
 *
 * Bounds: none; it keeps every byte. Fails: as the port says, and as ordered.
 */
export function memoryFileSystem(options: MemoryFileSystemOptions = {}): MemoryFileSystem {
  expectKnown('memoryFileSystem options', options, ['latencyMs', 'name', 'letterCase']);
  const { latencyMs = 0, name = 'memory', letterCase = 'kept' } = options;
  expectOneOf('letterCase', letterCase, ['kept', 'folded']);
  if (typeof latencyMs !== 'function') expectMs('latencyMs', latencyMs);
  return new Memory(name, typeof latencyMs === 'function' ? latencyMs : () => latencyMs, letterCase === 'folded');
}

class Memory implements MemoryFileSystem {
  readonly name: string;
  readonly calls: string[] = [];
  readonly #latencyMs: (verb: FileVerb, path: string) => number;
  readonly #isFolded: boolean;
  readonly #files = new Map<string, StoredFile>();
  readonly #folders = new Map<string, number>([['/', 0]]);
  readonly #faults = new Map<FileVerb, Fault[]>();
  #made = 0;

  constructor(name: string, latencyMs: (verb: FileVerb, path: string) => number, isFolded: boolean) {
    this.name = name;
    this.#latencyMs = latencyMs;
    this.#isFolded = isFolded;
  }

  pathProblem(path: string): string | null {
    return pathProblem(path);
  }

  makeFolder(path: string): Observable<void> {
    return this.#answer('makeFolder', [path], () => {
      expectHoldable(path);
      this.#makeFolders(`${this.#real(path)}/`);
    });
  }

  create(path: string): FileWriter {
    return new MemoryFileWriter(path, (verb, work) => this.#answer(verb, [path], work), {
      start: () => this.#start(path),
      exists: (file) => this.#files.get(this.#real(path)) === file,
    });
  }

  rename(source: string, target: string): Observable<'renamed' | 'exists' | 'missing'> {
    return this.#answer('rename', [source, target], () => {
      expectHoldable(target);
      const [from, to] = [this.#real(source), this.#real(target)];
      const file = this.#files.get(from);
      if (!file) return 'missing';
      if (this.#exists(to)) return 'exists';
      this.#makeFolders(to);
      this.#files.delete(from);
      this.#files.set(to, file);
      return 'renamed';
    });
  }

  publish(from: string, to: string): Observable<'renamed' | 'exists' | 'missing'> {
    return this.rename(from, to);
  }

  status(path: string): Observable<FileStatus | null> {
    return this.#answer('status', [path], () => {
      const found = this.#look(this.#real(path));
      return found && { ...found, path };
    });
  }

  list(folder: string): Observable<readonly FileStatus[]> {
    return this.#answer('list', [folder], () => this.#pathsIn(folder).flatMap((path) => this.#look(path) ?? []));
  }

  read(path: string, maxBytes: number): Observable<Uint8Array> {
    return this.#answer('read', [path], () => {
      const file = this.#files.get(this.#real(path));
      if (!file) throw new SinkError('RXF_FILES_MISSING', `Could not read ${path}: there is no such file.`);
      if (file.bytes <= maxBytes) return contentOf(file);
      throw new SinkError('RXF_FILES_PROTOCOL', `Could not read ${path}: ${file.bytes} bytes, over ${maxBytes}.`);
    });
  }

  scan(folder: string): Observable<readonly FoundFile[]> {
    return this.#answer('scan', [folder], () => this.#pathsIn(folder).flatMap((path) => this.#find(path) ?? []));
  }

  look(path: string): Observable<FoundFile | null> {
    return this.#answer('look', [path], () => this.#find(this.#real(path)));
  }

  readAt(path: string, from: number, maxBytes: number): Observable<Uint8Array> {
    return this.#answer('readAt', [path], () => {
      const file = this.#files.get(this.#real(path));
      if (!file) throw new SinkError('RXF_FILES_MISSING', `Could not read ${path}: there is no such file.`);
      return contentOf(file).slice(from, from + maxBytes);
    });
  }

  put(path: string, content: Uint8Array | string, isSame = false): void {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const before = this.#files.get(path);
    if (!isSame || before === undefined) this.#files.delete(path);
    const file = isSame && before !== undefined ? before : this.#start(path);
    Object.assign(file, { chunks: [bytes], bytes: bytes.length, modifiedMs: asyncScheduler.now(), closed: true });
  }

  remove(path: string): Observable<boolean> {
    return this.#answer('remove', [path], () => {
      const doomed = [this.#files, this.#folders].flatMap((entries) =>
        [...entries.keys()]
          .filter((entry) => entry !== '/' && `${entry}/`.startsWith(`${this.#real(path)}/`))
          .map((entry) => () => entries.delete(entry)),
      );
      for (const remove of doomed) remove();
      return doomed.length > 0;
    });
  }

  files(): Record<string, Uint8Array> {
    return Object.fromEntries([...this.#files].sort(byName).map(([path, file]) => [path, contentOf(file)]));
  }

  text(path: string): string {
    const file = this.#files.get(path);
    if (!file) throw new Error(`No file ${path}; there are: ${[...this.#files.keys()].sort().join(', ') || 'none'}`);
    return new TextDecoder().decode(contentOf(file));
  }

  take(path: string): Uint8Array {
    const file = this.#files.get(path);
    if (!file) throw new Error(`No file ${path} to take away`);
    this.#files.delete(path);
    return contentOf(file);
  }

  unfinished(): readonly string[] {
    return [...this.#files].flatMap(([path, file]) => (file.closed ? [] : [path])).sort();
  }

  failNext(verb: FileVerb, error: unknown = lostAnswer(verb)): void {
    this.#addFault(verb, { kind: 'fail', error });
  }

  loseNext(verb: FileVerb, error: unknown = lostAnswer(verb)): void {
    this.#addFault(verb, { kind: 'lose', error });
  }

  hangNext(verb: FileVerb): void {
    this.#addFault(verb, { kind: 'hang', error: undefined });
  }

  #addFault(verb: FileVerb, fault: Fault): void {
    this.#faults.set(verb, [...(this.#faults.get(verb) ?? []), fault]);
  }

  /** Carries out at the subscription; answers after the latency. */
  #answer<T>(verb: FileVerb, paths: readonly [string, ...string[]], work: () => T): Observable<T> {
    return defer(() => {
      this.calls.push([verb, ...paths].join(' '));
      const fault = this.#faults.get(verb)?.shift();
      const delay = this.#latencyMs(verb, paths[0]);
      const wait = delay > 0 ? timer(delay).pipe(ignoreElements()) : EMPTY;
      if (fault?.kind === 'fail')
        return concat(
          wait,
          throwError(() => fault.error),
        );
      let outcome: Observable<T>;
      try {
        outcome = of(work());
      } catch (error) {
        outcome = throwError(() => error);
      }
      if (fault?.kind === 'hang') return NEVER;
      return concat(wait, fault ? throwError(() => fault.error) : outcome);
    });
  }

  #start(given: string): StoredFile {
    expectHoldable(given);
    const path = this.#real(given);
    if (this.#exists(path)) {
      throw new SinkError('RXF_FILES_EXISTS', `Could not write ${path}: it exists already.`);
    }
    this.#makeFolders(path);
    this.#made += 1;
    const file = { chunks: [], bytes: 0, modifiedMs: asyncScheduler.now(), closed: false, number: this.#made };
    this.#files.set(path, file);
    return file;
  }

  /** The path under which it is kept: where a path that differs only in case exists, that one. */
  #real(path: string): string {
    if (!this.#isFolded) return path;
    const known = [...this.#files.keys(), ...this.#folders.keys()];
    return path
      .split('/')
      .slice(1)
      .reduce((above, name) => {
        const asked = `${above}/${name}`;
        return known.find((one) => one.toLowerCase() === asked.toLowerCase()) ?? asked;
      }, '');
  }

  #exists(path: string): boolean {
    return this.#files.has(path) || this.#folders.has(path);
  }

  #makeFolders(path: string): void {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end);
      if (this.#files.has(folder)) {
        throw new SinkError('RXF_FILES_EXISTS', `Could not write ${path}: ${folder} is a file, not a folder.`);
      }
      if (!this.#folders.has(folder)) this.#folders.set(folder, asyncScheduler.now());
    }
  }

  #pathsIn(folder: string): string[] {
    const prefix = folder === '/' ? '/' : `${this.#real(folder)}/`;
    return [...this.#files.keys(), ...this.#folders.keys()]
      .filter((path) => path !== '/' && path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
      .sort();
  }

  #find(path: string): FoundFile | null {
    const found = this.#look(path);
    const file = this.#files.get(path);
    return found && file ? { ...found, id: `${file.number}` } : found;
  }

  #look(path: string): FileStatus | null {
    const file = this.#files.get(path);
    if (file) return { path, kind: 'file', bytes: file.bytes, modifiedMs: file.modifiedMs };
    const modifiedMs = this.#folders.get(path);
    return modifiedMs === undefined ? null : { path, kind: 'folder', bytes: 0, modifiedMs };
  }
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}

function lostAnswer(verb: FileVerb): SinkError {
  return new SinkError('RXF_FILES_UNREACHABLE', `No answer to ${verb}: the connection was lost.`);
}
