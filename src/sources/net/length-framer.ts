import { ByteQueue, CountedBody, type Frame, type Framer } from '../listening/frames.js';

const PREFIX_BYTES = 4;

/**
 * Frames that begin with their length, four bytes, big-endian; of one that is longer than `maxBytes`, so much.
 *
 * Bounds: `maxBytes`, and one chunk.
 */
export class LengthFramer implements Framer {
  readonly #queue = new ByteQueue();
  readonly #body: CountedBody;

  constructor(maxBytes: number) {
    this.#body = new CountedBody(maxBytes);
  }

  get pending(): number {
    // One that is open is pending even where nothing of it is there.
    return this.#queue.length + this.#body.pending + (this.#body.isOpen ? 1 : 0);
  }

  push(chunk: Uint8Array): void {
    this.#queue.push(chunk);
  }

  next(): Frame | undefined {
    if (!this.#body.isOpen) {
      if (this.#queue.length < PREFIX_BYTES) return undefined;
      const [a = 0, b = 0, c = 0, d = 0] = this.#queue.take(PREFIX_BYTES);
      this.#body.begin(a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d);
    }
    return this.#body.take(this.#queue);
  }

  /** Half a frame is worth nothing. */
  end(): undefined {
    return undefined;
  }
}
