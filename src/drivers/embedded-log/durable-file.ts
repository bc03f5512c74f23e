import { type FileHandle, mkdir, open, readdir, rename } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { SourceError } from '../../core/errors.js';
import { isNotOursToSync, syncFolder } from '../local-disk/system.js';

/**
 * Makes a folder with those above it, and their names durable: also of those that exist, since the process that made one may not have
 * lived to sync it.
 */
export async function makeFolderDurably(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  let isOurs = first !== undefined;
  for (let at = resolve(folder); at !== dirname(at); at = dirname(at)) {
    try {
      await syncFolder(dirname(at));
    } catch (error) {
      if (isOurs || !isNotOursToSync(error)) throw error;
    }
    if (at === first) isOurs = false;
  }
}

/** Writes a new file and makes its bytes durable; its name is durable after `syncFolder`. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'w');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Replaces a file by new bytes, all or nothing: a reader finds the old or the new ones, also after a crash. */
export async function replaceDurably(path: string, bytes: Uint8Array): Promise<void> {
  const next = `${path}.next`;
  await writeDurably(next, bytes);
  await rename(next, path);
  await syncFolder(dirname(path));
}

/** The names in a folder; none where there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Exactly those bytes; an answer shorter than the file was is damage done meanwhile. */
export async function readFully(handle: FileHandle, position: number, count: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(count);
  let filled = 0;
  while (filled < count) {
    const { bytesRead } = await handle.read(bytes, filled, count - filled, position + filled);
    if (bytesRead === 0) throw new Error(`the file ends at byte ${position + filled}, before what was written to it`);
    filled += bytesRead;
  }
  return bytes;
}

/** What is raised where the log's files are not what the log wrote. */
export function damaged(file: string, what: string, details: Readonly<Record<string, unknown>> = {}): SourceError {
  return new SourceError(
    'RXF_KAFKA_PROTOCOL',
    `${file} is damaged: ${what}. Nothing was changed. Restore the file from a copy, or move the log's folder away to ` +
      'start with an empty one.',
    { details: { file, ...details } },
  );
}
