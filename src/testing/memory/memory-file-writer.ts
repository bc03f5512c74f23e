import { asyncScheduler, catchError, defer, finalize, type Observable, tap, throwError } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import type { FileWriter } from '../../ports/file-system.js';

/** A file as the memory keeps it. */
export interface StoredFile {
  readonly chunks: Uint8Array[];
  bytes: number;
  modifiedMs: number;
  closed: boolean;
  /** Another for each file, the same under another name. */
  readonly number: number;
}

export function contentOf({ chunks, bytes }: StoredFile): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/** What a writer asks of the store. */
interface RetainedDeliveries {
  start(): StoredFile;
  /** Whether the file is still at its path: it may have been removed while it was written. */
  exists(file: StoredFile): boolean;
}

/** One new file of a file system in memory. */
export class MemoryFileWriter implements FileWriter {
  readonly #path: string;
  readonly #answer: <T>(verb: 'write' | 'close', work: () => T) => Observable<T>;
  readonly #store: RetainedDeliveries;
  #file: StoredFile | undefined;
  #busy = false;
  #failure: Error | undefined;

  constructor(
    path: string,
    answer: <T>(verb: 'write' | 'close', work: () => T) => Observable<T>,
    store: RetainedDeliveries,
  ) {
    this.#path = path;
    this.#answer = answer;
    this.#store = store;
  }

  write(chunk: Uint8Array): Observable<unknown> {
    return this.#one('write', (file) => {
      file.chunks.push(chunk.slice());
      file.bytes += chunk.byteLength;
      file.modifiedMs = asyncScheduler.now();
    });
  }

  close(): Observable<{ readonly bytes: number }> {
    return this.#one('close', (file) => {
      file.closed = true;
      return { bytes: file.bytes };
    });
  }

  abort(): void {
    if (this.#file?.closed) return;
    this.#failure ??= new SinkError('RXF_FILES_ABORTED', `Gave up ${this.#path}.`);
  }

  #one<T>(verb: 'write' | 'close', work: (file: StoredFile) => T): Observable<T> {
    return defer(() => {
      if (this.#failure) return throwError(() => this.#failure);
      if (this.#file?.closed)
        throw new Error(`Cannot ${verb} ${this.#path}: it is closed. This is a bug of the caller`);
      if (this.#busy)
        throw new Error(`Cannot ${verb} ${this.#path}: the last write has not answered. This is a bug of the caller`);
      this.#busy = true;
      return this.#answer(verb, () => {
        this.#file ??= this.#store.start();
        if (this.#store.exists(this.#file)) return work(this.#file);
        throw new SinkError(
          'RXF_FILES_MISSING',
          `Could not ${verb} ${this.#path}: it was removed while it was written.`,
        );
      }).pipe(
        tap(() => this.#settle(undefined)),
        catchError((error: unknown) => throwError(() => this.#settle(error))),
        finalize(() => this.#busy && this.abort()),
      );
    });
  }

  /** Before the answer is passed on, for it may start the next write. */
  #settle(error: unknown): unknown {
    this.#busy = false;
    this.#failure ??= error as Error | undefined;
    if (this.#failure && error === undefined && !this.#file?.closed) throw this.#failure;
    return this.#failure;
  }
}
