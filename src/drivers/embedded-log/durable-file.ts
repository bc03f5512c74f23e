import { mkdir, open, readdir, rename } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isNotOursToSync, syncFolder } from '../local-disk/system.js';

/**
 * Makes a folder with those above it, and their names durable: also of those that stand, since whoever made one may not have
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

/** Replaces a file by new bytes, all or nothing: whoever reads it, and whatever crashes, finds the old or the new. */
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
