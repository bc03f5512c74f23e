import type { ObservableInput } from 'rxjs';

/** What the operating system reports about a file. */
export interface LocalFileStats {
  /** Its device; may change when a file system is mounted again. */
  readonly dev: bigint;
  /** Its inode, which another file may get once this one is deleted. */
  readonly ino: bigint;
  /** When the inode came to hold it, 0 where the file system does not say, as NFS. */
  readonly birthtimeNs: bigint;
  readonly mtimeNs: bigint;
  /** How many names it has: 0 once it is deleted, while it is open. */
  readonly nlink: number;
  readonly size: number;
  readonly kind: 'file' | 'folder' | 'other';
}

/** A name in a folder. What a link leads to, only `stat` tells. */
export interface LocalName {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
}

/** A file that is open to read: it stays the same file, whatever happens to its name. */
export interface LocalFile {
  stat(): ObservableInput<LocalFileStats>;
  /** Reads from that byte on; answers how many bytes, which may be fewer than there are, and 0 only at the end. */
  read(into: Uint8Array, position: number): ObservableInput<number>;
  close(): ObservableInput<unknown>;
}

/**
 * Files that programs on the same machine write, to read them while that goes on. Each call answers once; errors have a `code` such as
 * `ENOENT`.
 */
export interface LocalFiles {
  /** For messages, such as `files of web1`. */
  readonly name: string;
  /** The machine, as streams are named by it. */
  readonly host: string;
  list(folder: string): ObservableInput<readonly LocalName[]>;
  /** Of what a link leads to. */
  stat(path: string): ObservableInput<LocalFileStats>;
  /** Opens a file to read, without waiting for a writer. */
  open(path: string): ObservableInput<LocalFile>;
  /** The bytes of a small file; null where there is none. */
  readWhole(path: string): ObservableInput<Uint8Array | null>;
  /**
   * Cold: emits once when this subscription alone has the path, among those that claim it on this machine; unsubscribing gives it up. Fails with
   * `RXF_TAIL_IN_USE`. Left out where the machine has no such thing.
   */
  claim?(path: string): ObservableInput<unknown>;
  /** Writes a small file in the place of what is there: a reader sees the old bytes or the new ones, also after a power cut. */
  replace(path: string, bytes: Uint8Array): ObservableInput<unknown>;
}
