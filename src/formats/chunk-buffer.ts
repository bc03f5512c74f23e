import { KiB } from '../core/units.js';

const NEW_LINE = 10;
const LEAST_BYTES = 16 * KiB;
const LARGE_BYTES = 256 * KiB;

/** The lines of one chunk, in one growing buffer. Bounds: twice what is written, and a quarter more from 256 KiB on. */
export class ChunkBuffer {
  #chunk = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Copies bytes: the source may use its memory again. */
  bytes(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length + 1);
    this.#chunk.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  text(text: string): void {
    this.#makeRoom(text.length * 3 + 1);
    this.#length += this.#chunk.write(text, this.#length);
  }

  newLine(): void {
    this.#makeRoom(1);
    this.#chunk[this.#length] = NEW_LINE;
    this.#length += 1;
  }

  /** Takes what was written, and starts anew. */
  take(): Buffer {
    const chunk = this.#chunk.subarray(0, this.#length);
    this.#chunk = Buffer.allocUnsafe(this.#chunk.length);
    this.#length = 0;
    return chunk;
  }

  #makeRoom(bytes: number): void {
    if (this.#length + bytes <= this.#chunk.length) return;
    // A little more than a chunk is enough from there on; twice would be half empty.
    const most = this.#chunk.length < LARGE_BYTES ? this.#chunk.length * 2 : this.#chunk.length * 1.25;
    const chunk = Buffer.allocUnsafe(Math.max(LEAST_BYTES, most, this.#length + bytes));
    chunk.set(this.#chunk.subarray(0, this.#length));
    this.#chunk = chunk;
  }
}
