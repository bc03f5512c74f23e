import type { ObservableInput } from 'rxjs';
import type { FileStatus, FileSystem } from './file-system.js';

/** A file or folder, as far as a source must know it. */
export interface FoundFile extends FileStatus {
  /**
   * Names the file for as long as it exists: the same after a rename, another for a file that takes its name, or its number, later.
   * Undefined where the store has no such thing.
   */
  readonly id?: string | undefined;
}

/** A store whose files are read once, each as a whole. Errors as those of `FileSystem`; each answer emits once. */
export interface FileInput extends Pick<FileSystem, 'name' | 'rename' | 'remove' | 'probe'> {
  /** What a folder holds, by name; empty where there is none. Unlike `list`, it makes nothing durable. */
  scan(folder: string): ObservableInput<readonly FoundFile[]>;
  /** What exists at the path, or null. */
  look(path: string): ObservableInput<FoundFile | null>;
  /**
   * The bytes of a file from an offset on, at most `maxBytes`, all of them where the file has as many. `from` is below the length of
   * the file as it was found; where it is shorter by now, what is there is given, or nothing.
   */
  readAt(path: string, from: number, maxBytes: number): ObservableInput<Uint8Array>;
}
