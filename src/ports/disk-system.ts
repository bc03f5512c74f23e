import type { ObservableInput } from 'rxjs';

/** What the operating system reports about the file or folder at a path. */
export interface DiskStats {
  readonly dev: bigint;
  readonly ino: bigint;
  /** How many names it has. */
  readonly nlink: bigint;
  readonly size: bigint;
  readonly mtimeMs: bigint;
  readonly birthtimeNs: bigint;
  isDirectory(): boolean;
}

export interface DiskFile {
  /** Writes the chunk from that byte of it on; answers how many bytes the system took. */
  write(chunk: Uint8Array, from: number): ObservableInput<number>;
  /** Reads into the buffer; answers how many bytes, 0 at the end. */
  read(into: Uint8Array): ObservableInput<number>;
  /** The same from that byte of the file on. */
  readAt(into: Uint8Array, from: number): ObservableInput<number>;
  sync(): ObservableInput<unknown>;
  stat(): ObservableInput<DiskStats>;
  close(): ObservableInput<unknown>;
}

/**
 * An operating system's calls over a disk, each done as a whole or not at all; errors have a `code` such as `ENOENT`. What
 * a driver makes of several may end after each: the proof runs it over a disk in memory on which it does.
 */
export interface DiskSystem {
  realpath(path: string): ObservableInput<string>;
  /** Of what a link leads to. */
  stat(path: string): ObservableInput<DiskStats>;
  /** Of the link itself. */
  lstat(path: string): ObservableInput<DiskStats>;
  readdir(path: string): ObservableInput<readonly string[]>;
  /** `wx`: a new file to write, `EEXIST` where the name is taken; `r`: one to read. */
  open(path: string, flags: 'wx' | 'r'): ObservableInput<DiskFile>;
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
