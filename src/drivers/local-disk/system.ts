import { link, lstat, mkdir, open, readdir, realpath, rename, rm, stat, unlink } from 'node:fs/promises';
import type { ObservableInput } from 'rxjs';

/** What the system tells of what stands at a path. */
export interface Stats {
  readonly dev: bigint;
  readonly ino: bigint;
  /** How many names it has. */
  readonly nlink: bigint;
  readonly size: bigint;
  readonly mtimeMs: bigint;
  readonly birthtimeNs: bigint;
  isDirectory(): boolean;
}

export interface OpenFile {
  /** Writes the chunk from that byte of it on; answers how many bytes the system took. */
  write(chunk: Uint8Array, from: number): ObservableInput<number>;
  /** Reads into the buffer; answers how many bytes, 0 at the end. */
  read(into: Uint8Array): ObservableInput<number>;
  sync(): ObservableInput<unknown>;
  stat(): ObservableInput<Stats>;
  close(): ObservableInput<unknown>;
}

/**
 * The system's calls, of which each is done as a whole or not at all. What the driver does of several of them may end
 * after each: the proof runs the driver over a disk in memory on which it does.
 */
export interface System {
  realpath(path: string): ObservableInput<string>;
  /** Of what a link leads to. */
  stat(path: string): ObservableInput<Stats>;
  /** Of the link itself. */
  lstat(path: string): ObservableInput<Stats>;
  readdir(path: string): ObservableInput<readonly string[]>;
  /** `wx`: a new file to write, `EEXIST` where the name is taken; `r`: one to read. */
  open(path: string, flags: 'wx' | 'r'): ObservableInput<OpenFile>;
  /** Gives a file a second name; `EEXIST` where it is taken. */
  link(from: string, to: string): ObservableInput<unknown>;
  /** Gives a file another name, whose file it replaces. */
  rename(from: string, to: string): ObservableInput<unknown>;
  unlink(path: string): ObservableInput<unknown>;
  mkdir(path: string): ObservableInput<unknown>;
  /** Removes a file, or a folder with all it holds: many calls in one, whose order does not matter. */
  rm(path: string): ObservableInput<unknown>;
  /** Makes the names in a folder outlast a power cut. */
  syncFolder(path: string): ObservableInput<unknown>;
}

const isWindows = process.platform === 'win32';

export const nodeSystem: System = {
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
      // Windows syncs no file that was opened to read.
      sync: async () => (isWindows && flags === 'r' ? undefined : handle.sync()),
      stat: () => handle.stat({ bigint: true }),
      close: () => handle.close(),
    };
  },

  async syncFolder(path) {
    // Windows keeps names by itself, and opens no folder.
    if (isWindows) return;
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};
