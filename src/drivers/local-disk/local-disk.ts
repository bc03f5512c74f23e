import { open, readdir, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { defer, type Observable } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import { shownPath } from '../../core/path-name.js';
import type { FileStatus, FileSystem, FileWriter } from '../../ports/file-system.js';
import { systemCode, translated } from './disk-error.js';
import { DiskWriter } from './disk-writer.js';
import { move } from './move.js';
import { checkOptions, type LocalDiskOptions } from './options.js';
import { expectHoldable, pathProblem } from './path-problem.js';
import { Root } from './root.js';
import { makeFolder, syncFolder } from './sync.js';

const READ_BYTES = 64 * 1024;

/**
 * A folder of this machine's disk.
 * Bounds: one chunk per open file; an answer of `read` at most `maxBytes`.
 * Fails: `SinkError`, `RXF_FILES_*`; a wrong option throws `OptionError` here.
 */
export function localDisk(options: LocalDiskOptions = {}): FileSystem {
  const { root, fsync } = checkOptions(options);
  return new LocalDisk(root, fsync === 'always');
}

class LocalDisk implements FileSystem {
  readonly name: string;
  readonly #folder: string;
  readonly #root: Root;
  readonly #sync: boolean;

  constructor(root: string, sync: boolean) {
    this.name = `local disk ${root}`;
    this.#folder = root;
    this.#root = new Root(root);
    this.#sync = sync;
  }

  pathProblem(path: string): string | null {
    return pathProblem(path, this.#folder);
  }

  makeFolder(path: string): Observable<void> {
    return this.#answer(`make the folder ${shownPath(path)}`, path, async () => {
      this.#expectHoldable(path);
      await makeFolder(await this.#root.entry(path), this.#sync);
    });
  }

  create(path: string): FileWriter {
    return new DiskWriter(this.#root, path, this.#sync, () => this.#expectHoldable(path));
  }

  rename(from: string, to: string): Observable<'renamed' | 'exists' | 'missing'> {
    return this.#answer(`rename ${shownPath(from)} to ${shownPath(to)}`, from, async () => {
      this.#expectHoldable(to);
      const [source, target] = await Promise.all([this.#root.entry(from), this.#root.entry(to)]);
      return move(source, target, this.#sync);
    });
  }

  status(path: string): Observable<FileStatus | null> {
    return this.#answer(`look at ${path}`, path, () => this.#look(path));
  }

  list(folder: string): Observable<readonly FileStatus[]> {
    return this.#answer(`list ${folder}`, folder, async () => {
      const names = await absentAs([], async () => readdir(await this.#root.target(folder)));
      const above = folder === '/' ? '' : folder.replace(/\/+$/, '');
      const found: FileStatus[] = [];
      for (const name of names.sort()) {
        const status = await this.#look(`${above}/${name}`).catch(refusedAsNull);
        if (status) found.push(status);
      }
      return found;
    });
  }

  read(path: string, maxBytes: number): Observable<Uint8Array> {
    return this.#answer(`read ${path}`, path, async () => {
      const handle = await open(await this.#root.target(path), 'r');
      try {
        const { size } = await handle.stat();
        const chunks: Buffer[] = [];
        for (let bytes = 0; ; ) {
          if (Math.max(size, bytes) > maxBytes) throw tooLarge(path, Math.max(size, bytes), maxBytes);
          const { bytesRead, buffer } = await handle.read(
            Buffer.allocUnsafe(Math.min(READ_BYTES, maxBytes - bytes + 1)),
          );
          if (bytesRead === 0) return Buffer.concat(chunks);
          chunks.push(buffer.subarray(0, bytesRead));
          bytes += bytesRead;
        }
      } finally {
        await handle.close();
      }
    });
  }

  remove(path: string): Observable<boolean> {
    return this.#answer(`remove ${path}`, path, () =>
      absentAs(false, async () => {
        const entry = await this.#root.entry(path);
        if (await this.#root.is(entry)) throw keepsRoot(path);
        await rm(entry, { recursive: true });
        if (this.#sync) await syncFolder(dirname(entry));
        return true;
      }),
    );
  }

  #expectHoldable(path: string): void {
    this.#root.expectInside(path);
    expectHoldable(path, this.#folder);
  }

  #answer<T>(doing: string, path: string, work: () => Promise<T>): Observable<T> {
    return defer(() => translated(doing, path, work()));
  }

  #look(path: string): Promise<FileStatus | null> {
    return absentAs(null, async () => {
      const found = await stat(await this.#root.target(path));
      const kind = found.isDirectory() ? 'folder' : 'file';
      return { path, kind, bytes: kind === 'folder' ? 0 : found.size, modifiedMs: Math.trunc(found.mtimeMs) };
    });
  }
}

async function absentAs<T, A>(absent: A, work: () => Promise<T>): Promise<T | A> {
  try {
    return await work();
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return absent;
    throw error;
  }
}

/** A link to elsewhere is no part of the folder. */
function refusedAsNull(error: unknown): null {
  if (error instanceof SinkError && error.code === 'RXF_FILES_DENIED') return null;
  throw error;
}

function tooLarge(path: string, bytes: number, maxBytes: number): SinkError {
  const message = `Could not read ${path}: it has ${bytes} bytes, over the limit of ${maxBytes}`;
  return new SinkError('RXF_FILES_PROTOCOL', message, { details: { path, bytes, maxBytes } });
}

function keepsRoot(path: string): SinkError {
  const message = `Refused to remove ${path}: it is \`root\` itself. Remove what it holds`;
  return new SinkError('RXF_FILES_DENIED', message, { details: { path } });
}
