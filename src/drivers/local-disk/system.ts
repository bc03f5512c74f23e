import { link, lstat, mkdir, open, readdir, realpath, rename, rm, stat, unlink } from 'node:fs/promises';
import type { DiskSystem } from '../../ports/disk-system.js';
import { systemCode } from './disk-error.js';

const isWindows = process.platform === 'win32';

export const nodeSystem: DiskSystem = {
  realpath: (path) => realpath(path),
  stat: (path) => stat(path, { bigint: true }),
  lstat: (path) => lstat(path, { bigint: true }),
  readdir: (path) => readdir(path),
  link: (from, to) => link(from, to),
  rename: (from, to) => rename(from, to),
  unlink: (path) => unlink(path),
  mkdir: (path) => mkdir(path),
  rm: (path) => rm(path, { recursive: true }),

  async open(path, flags) {
    const handle = await open(path, flags);
    return {
      write: async (chunk, from) => (await handle.write(chunk, from)).bytesWritten,
      read: async (into) => (await handle.read(into)).bytesRead,
      readAt: async (into, from) => (await handle.read(into, 0, into.length, from)).bytesRead,
      // Windows syncs no file that was opened to read.
      sync: async () => (isWindows && flags === 'r' ? undefined : handle.sync()),
      stat: () => handle.stat({ bigint: true }),
      close: () => handle.close(),
    };
  },

  syncFolder,
};

/** Makes the names in a folder outlast a power cut. Windows keeps them by itself, and opens no folder. */
export async function syncFolder(path: string): Promise<void> {
  if (isWindows) return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const NOT_OURS_TO_SYNC = ['EACCES', 'EPERM', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EROFS'];

/** Whether a folder that was there before us failed to sync since we may not open it, or its file system cannot sync. */
export function isNotOursToSync(error: unknown): boolean {
  return NOT_OURS_TO_SYNC.includes(systemCode(error) ?? '');
}
