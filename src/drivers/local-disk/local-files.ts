import { type BigIntStats, constants } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import type { LocalFile, LocalFileStats, LocalFiles, LocalName } from '../../ports/local-files.js';
import { claim } from './claim.js';
import { systemCode } from './disk-error.js';
import { isNotOursToSync, syncFolder } from './system.js';

/**
 * The files of this machine, for the sources that read what other programs write, such as `tailSource`.
 *
 * ```ts
 * import { localFiles } from 'rxflume/drivers/local-disk';
 *
 * export const files = localFiles();
 * ```
 *
 * Bounds: nothing is kept; `readWhole` and `replace` are for small files.
 * Fails: each call with the error of the system, whose `code` says what it is.
 * Source: statx(2), by which Node tells a file's birth time; open(2), `O_NONBLOCK`.
 */
export function localFiles(): LocalFiles {
  const host = hostname();
  return {
    name: `files of ${host}`,
    host,
    list,
    stat: (path) => statsAt(path),
    open: opened,
    readWhole,
    claim,
    replace,
  };
}

async function list(folder: string): Promise<readonly LocalName[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.map((entry) => {
    const kind = entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : entry.isSymbolicLink() ? 'link' : 'other';
    return { name: entry.name, kind };
  });
}

async function statsAt(path: string): Promise<LocalFileStats> {
  return statsOf(await stat(path, { bigint: true }));
}

function statsOf(stats: BigIntStats): LocalFileStats {
  const { dev, ino, birthtimeNs, mtimeNs } = stats;
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other';
  return { dev, ino, birthtimeNs, mtimeNs, nlink: Number(stats.nlink), size: Number(stats.size), kind };
}

/** A pipe that took a file's place would hold an `open` up until somebody writes to it. */
const TO_READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

async function opened(path: string): Promise<LocalFile> {
  const handle = await open(path, TO_READ);
  return {
    stat: async () => statsOf(await handle.stat({ bigint: true })),
    read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
    close: () => handle.close(),
  };
}

async function readWhole(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

async function replace(path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const temporary = `${path}.tmp`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
  try {
    await syncFolder(folder);
  } catch (error) {
    if (!isNotOursToSync(error)) throw error;
  }
}
