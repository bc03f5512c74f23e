import { defer, from, map, type Observable, of } from 'rxjs';
import type { FileInput, FoundFile } from '../../ports/file-input.js';
import { changedError } from './file-errors.js';

/** So many bytes of a file are asked for at once. */
const CHUNK_BYTES = 1024 * 1024;

/** The bytes of a file, in order. One call at a time. */
export interface ByteInput {
  /** The next bytes, never none; null at the end. */
  next(): Observable<Buffer | null>;
  close(): void;
}

/** The bytes of a file as they are stored, up to the length at which it was found. Bounds: one chunk of 1 MiB. */
export class StoredBytes implements ByteInput {
  readonly #input: FileInput;
  readonly #file: FoundFile;
  #at = 0;

  constructor(input: FileInput, file: FoundFile) {
    this.#input = input;
    this.#file = file;
  }

  next(): Observable<Buffer | null> {
    return defer(() => {
      const { path, bytes } = this.#file;
      if (this.#at >= bytes) return of(null);
      const wanted = Math.min(CHUNK_BYTES, bytes - this.#at);
      return from(this.#input.readAt(path, this.#at, wanted)).pipe(
        map((chunk) => {
          if (chunk.length < wanted) throw changedError(this.#file, `it ends at byte ${this.#at + chunk.length}`);
          this.#at += chunk.length;
          return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
        }),
      );
    });
  }

  close(): void {}
}
