import { defer, from, Observable, of } from 'rxjs';
import type { LocalFile, LocalFiles } from '../../ports/local-files.js';
import type { TailedFile } from './tailed-file.js';

/**
 * Which of the followed files are open.
 *
 * Bounds: `most` descriptors, and as many of files that no path leads to any more: closed, they could not be opened again, and they
 * must not keep the others from being read.
 */
export class Descriptors {
  readonly #files: LocalFiles;
  readonly #most: number;
  readonly #opened: (file: TailedFile) => void;
  readonly #open = new Set<TailedFile>();
  #opening = 0;

  /** `opened` is called when a file could be opened. */
  constructor(files: LocalFiles, most: number, opened: (file: TailedFile) => void) {
    this.#files = files;
    this.#most = most;
    this.#opened = opened;
  }

  get count(): number {
    return this.#open.size;
  }

  /** The file's descriptor; opened by its path where it has none. An open that is given up is closed when it is there. */
  opened(file: TailedFile): Observable<LocalFile> {
    if (file.handle !== undefined) return of(file.handle);
    return new Observable((subscriber) => {
      this.#opening += 1;
      defer(() => from(this.#files.open(file.path))).subscribe({
        next: (handle) => {
          this.#opening -= 1;
          if (subscriber.closed || file.isOver) {
            closeQuietly(handle);
            return;
          }
          file.handle = handle;
          this.#open.add(file);
          this.#opened(file);
          subscriber.next(handle);
        },
        error: (error: unknown) => {
          this.#opening -= 1;
          subscriber.error(error);
        },
      });
    });
  }

  /** A file was opened elsewhere; it stays open where one more may be. */
  adopt(file: TailedFile, handle: LocalFile): void {
    if (this.#open.size + this.#opening >= this.#most) {
      closeQuietly(handle);
      return;
    }
    file.handle = handle;
    this.#open.add(file);
  }

  /** Whether another file may be opened. Where none may, closes the one that had no turn for longest, of those that `mayClose`. */
  makeRoom(mayClose: (file: TailedFile) => boolean): boolean {
    const count = this.#open.size + this.#opening;
    if (count < this.#most) return true;
    const found = [...this.#open].filter(({ goneSince }) => goneSince === undefined).sort((a, b) => a.turn - b.turn);
    if (found.length + this.#opening < this.#most && count < 2 * this.#most) return true;
    const oldest = found.find(mayClose);
    if (oldest === undefined) return false;
    this.close(oldest);
    return true;
  }

  close(file: TailedFile): void {
    const { handle } = file;
    file.handle = undefined;
    this.#open.delete(file);
    if (handle !== undefined) closeQuietly(handle);
  }

  end(): void {
    for (const file of [...this.#open]) this.close(file);
  }
}

function closeQuietly(handle: LocalFile): void {
  defer(() => from(handle.close())).subscribe({ error: () => undefined });
}
