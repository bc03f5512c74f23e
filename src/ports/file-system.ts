import type { Observable, ObservableInput } from 'rxjs';
import type { Fact, ProbeSetting } from '../delivery/probe.js';

export interface FileStatus {
  /** The full path, from the file system's root. */
  readonly path: string;
  readonly kind: 'file' | 'folder';
  /** Length in bytes; 0 for a folder. */
  readonly bytes: number;
  /** Last change, milliseconds since 1970. */
  readonly modifiedMs: number;
}

/** A file being written. One write at a time: the next only after the last has answered. */
export interface FileWriter {
  /** Answers when the storage has taken the chunk: the caller may then forget the bytes, and promise nothing. */
  write(chunk: Uint8Array): ObservableInput<unknown>;
  /** Answers with the length the storage holds once every byte is durable; fails where that differs from what was sent. */
  close(): ObservableInput<{ readonly bytes: number }>;
  /** Gives up. The file may stay behind, whole or in part; removing it is the caller's. Never fails. */
  abort(): void;
}

/**
 * Where files land: any store in which a file can take a free name, and change its name, as a whole or not at all. Paths
 * are absolute, `/`-separated and already checked by the caller to lead nowhere else. Every answer of the store is
 * checked; a lost answer is resolved by looking. Foreign
 * errors come as `SinkError`s. Each answer emits once.
 *
 * Every result is durable, even that of a read-only call: the caller relies on it. An error says nothing about what exists.
 */
export interface FileSystem {
  /** For messages, such as `webhdfs http://nn1:9870`. No secret. */
  readonly name: string;
  /**
   * Why the store can never hold a file or a folder at this path; null where it can, as far as the path alone tells. Asks
   * nobody. `create`, `rename`, `publish` and `makeFolder` fail with `RXF_FILES_NAME` for such a path, and for one that the store itself
   * rejects for its name. Every store holds names of 255 bytes of letters, digits and `+-=._~`.
   */
  pathProblem(path: string): string | null;
  /**
   * Makes a folder and its parents; emits once it exists and is durable, even if it existed before. `RXF_FILES_EXISTS` if a
   * file exists there, or where a parent folder should be.
   */
  makeFolder(path: string): ObservableInput<unknown>;
  /** Starts a new file, with its folders. The file must not exist: `RXF_FILES_EXISTS` from the first write or the close. */
  create(path: string): FileWriter;
  /**
   * Moves a file to a name that others may want too, making the target's folders: of several, one gets it. `exists`: the
   * target exists already and nothing was moved. `missing`: there is no such file to move. A process that dies meanwhile may
   * leave the file under both names; repeating the move ends that.
   */
  rename(from: string, to: string): ObservableInput<'renamed' | 'exists' | 'missing'>;
  /**
   * Moves a file to a name that no other file is ever given, making the target's folders, in one step: at no moment, and
   * after no crash, is it under both names. So when a reader has taken it away from the new name, the same move again
   * answers `missing`. Answers as `rename` does.
   */
  publish(from: string, to: string): ObservableInput<'renamed' | 'exists' | 'missing'>;
  /** What exists at the path, or null, even if nothing can exist there. */
  status(path: string): ObservableInput<FileStatus | null>;
  /** What a folder holds, by name; empty where there is no such folder, or can be none. */
  list(folder: string): ObservableInput<readonly FileStatus[]>;
  /** The whole of a small file; `RXF_FILES_MISSING` where there is none, `RXF_FILES_PROTOCOL` where it is larger than `maxBytes`. */
  read(path: string, maxBytes: number): ObservableInput<Uint8Array>;
  /** Removes a file, or a folder with all it holds; false where there was none. */
  remove(path: string): ObservableInput<boolean>;
  /** Looks at the store below a folder for `rxflume doctor`; changes nothing. Left out where the driver cannot. */
  probe?(folder: string, setting: ProbeSetting): Observable<Fact>;
}
