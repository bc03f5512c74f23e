import type { FoundFile } from '../../ports/file-input.js';
import { identityOf } from './catalogue.js';
import { FileTask } from './file-task.js';
import type { OpenFiles } from './open-files.js';

/** Which file is read next. Bounds: the names of all files found, and of those that are left behind. */
export class FileQueue<T> {
  readonly #open: OpenFiles<T>;
  readonly #maxOpenFiles: number;
  /** Before the name of each stream. */
  readonly #prefix: string;
  /** By id, or path. */
  readonly #leftBehind = new Set<string>();
  /** To be read again, before others. */
  readonly #again: FileTask<T>[] = [];
  #found: FoundFile[] = [];

  constructor(open: OpenFiles<T>, maxOpenFiles: number, prefix: string) {
    this.#open = open;
    this.#maxOpenFiles = maxOpenFiles;
    this.#prefix = prefix;
  }

  /** Found, and not begun. */
  get found(): readonly FoundFile[] {
    return this.#found;
  }

  set(found: readonly FoundFile[]): void {
    this.#found = found.filter((file) => !this.#isKnown(file));
  }

  readAgain(task: FileTask<T>): void {
    this.#again.push(task);
  }

  leaveBehind({ id, path }: FoundFile): void {
    this.#leftBehind.add(id ?? path);
  }

  /** The next one, begun; undefined where there is none, or too many are open. */
  next(): FileTask<T> | undefined {
    const again = this.#again.shift();
    if (again !== undefined) return again;
    while (this.#open.size < this.#maxOpenFiles) {
      const file = this.#found.shift();
      if (file === undefined) return undefined;
      if (this.#isKnown(file)) continue;
      const task = new FileTask<T>(file, this.#streamOf(file));
      this.#open.add(task);
      return task;
    }
    return undefined;
  }

  #streamOf(file: FoundFile): string {
    return `${this.#prefix}${identityOf(file)}`;
  }

  #isKnown(file: FoundFile): boolean {
    return this.#leftBehind.has(file.id ?? file.path) || this.#open.get(this.#streamOf(file)) !== undefined;
  }
}
