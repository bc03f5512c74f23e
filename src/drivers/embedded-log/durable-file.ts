import { mkdir, open, readdir, rename } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** What a folder above ours answers that was there before us, and that we may not open or its file system cannot sync. */
const NOT_OURS_TO_SYNC = ['EACCES', 'EPERM', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EROFS'];

/** Makes the names in a folder durable, where the system can: Windows keeps them so by itself and refuses to be asked. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

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
      if (isOurs || !NOT_OURS_TO_SYNC.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
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
