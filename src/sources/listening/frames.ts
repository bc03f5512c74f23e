import { LineSplitter } from '../../formats/lines.js';

/** What a client sent as one. */
export interface Frame {
  /** A view of the bytes it came in. */
  readonly bytes: Uint8Array;
  /** Whether it is only the beginning of what was sent. */
  readonly isCut: boolean;
}

/** Takes frames out of bytes as they arrive: `push` a chunk, then call `next` until it gives nothing. */
export interface Framer {
  push(chunk: Uint8Array): void;
  /** Throws where the bytes cannot be of this framing, and what follows cannot be read. */
  next(): Frame | undefined;
  /** What is there of a frame when no more comes, where that is worth something. */
  end(): Frame | undefined;
  /** How many bytes are there of a frame that has not ended, those that are passed over included. */
  readonly pending: number;
}

/** Lines that end in LF or CR LF; of one that is longer than `maxBytes`, so much. */
export class LineFramer implements Framer {
  readonly #lines: LineSplitter;

  constructor(maxBytes: number) {
    this.#lines = new LineSplitter({ lineEnd: 'lf', maxBytes, tooLong: 'shorten' });
  }

  get pending(): number {
    return this.#lines.pending;
  }

  push(chunk: Uint8Array): void {
    this.#lines.push(chunk);
  }

  next(): Frame | undefined {
    const line = this.#lines.next();
    return line && { bytes: line.bytes, isCut: line.kind === 'overlong' };
  }

  end(): Frame | undefined {
    const line = this.#lines.end();
    return line && { bytes: line.bytes, isCut: line.kind === 'overlong' };
  }
}

const NOTHING = new Uint8Array(0);

/**
 * Bytes that are asked for by their number, as they arrive.
 *
 * Bounds: what was pushed and not taken.
 */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  /** Where the first chunk begins. */
  #at = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The byte so far from the next one; -1 where there is none. */
  peek(offset: number): number {
    let at = this.#at + offset;
    for (const chunk of this.#chunks) {
      if (at < chunk.length) return chunk[at] as number;
      at -= chunk.length;
    }
    return -1;
  }

  /** So many bytes, or all there are; a copy only where they lie in several chunks. */
  take(count: number): Uint8Array {
    const wanted = Math.min(count, this.#length);
    const first = this.#chunks[0] ?? NOTHING;
    if (first.length - this.#at >= wanted) {
      const bytes = first.subarray(this.#at, this.#at + wanted);
      this.skip(wanted);
      return bytes;
    }
    const bytes = new Uint8Array(wanted);
    for (let filled = 0; filled < wanted; ) {
      const chunk = this.#chunks[0] as Uint8Array;
      const part = chunk.subarray(this.#at, this.#at + wanted - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.skip(part.length);
    }
    return bytes;
  }

  /** Passes over so many bytes, or all there are; how many. */
  skip(count: number): number {
    const skipped = Math.min(count, this.#length);
    let left = skipped;
    let chunks = 0;
    while (left > 0) {
      const inChunk = (this.#chunks[chunks] as Uint8Array).length - this.#at;
      if (left < inChunk) {
        this.#at += left;
        break;
      }
      left -= inChunk;
      this.#at = 0;
      chunks += 1;
    }
    if (chunks > 0) this.#chunks.splice(0, chunks);
    this.#length -= skipped;
    return skipped;
  }
}

/** Frames whose length is known before they come; of one that is longer than `maxBytes`, so much. */
export class CountedBody {
  readonly #maxBytes: number;
  #wanted = -1;
  #head: Uint8Array | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether the length is known, and not all has come. */
  get isOpen(): boolean {
    return this.#wanted >= 0;
  }

  get pending(): number {
    return this.#head?.length ?? 0;
  }

  begin(length: number): void {
    this.#wanted = length;
    this.#head = undefined;
  }

  /** The frame, once all of it has come. What is beyond the most is passed over as it comes. */
  take(from: ByteQueue): Frame | undefined {
    if (this.#head === undefined) {
      const kept = Math.min(this.#wanted, this.#maxBytes);
      if (from.length < kept) return undefined;
      const bytes = from.take(kept);
      this.#wanted -= kept;
      if (this.#wanted === 0) return this.#end(bytes, false);
      // A copy: the chunk it lies in would be kept until the end of what is passed over.
      this.#head = bytes.slice();
    }
    this.#wanted -= from.skip(this.#wanted);
    return this.#wanted === 0 ? this.#end(this.#head, true) : undefined;
  }

  #end(bytes: Uint8Array, isCut: boolean): Frame {
    this.#wanted = -1;
    this.#head = undefined;
    return { bytes, isCut };
  }
}

/** Divides a stream into frames, each behind its length. Half a frame at the end is worth nothing. */
export abstract class CountedFramer implements Framer {
  readonly #queue = new ByteQueue();
  readonly #body: CountedBody;

  constructor(maxBytes: number) {
    this.#body = new CountedBody(maxBytes);
  }

  /** Takes the length of the next frame; undefined where it is not whole. Throws where there is none. */
  protected abstract lengthOf(queue: ByteQueue): number | undefined;

  get pending(): number {
    // One that is open is pending even where nothing of it is there.
    return this.#queue.length + this.#body.pending + (this.#body.isOpen ? 1 : 0);
  }

  push(chunk: Uint8Array): void {
    this.#queue.push(chunk);
  }

  next(): Frame | undefined {
    if (!this.#body.isOpen) {
      const length = this.lengthOf(this.#queue);
      if (length === undefined) return undefined;
      this.#body.begin(length);
    }
    return this.#body.take(this.#queue);
  }

  end(): undefined {
    return undefined;
  }
}

const PREFIX_BYTES = 4;

/**
 * Frames that begin with their length, four bytes, big-endian; of one that is longer than `maxBytes`, so much.
 *
 * Bounds: `maxBytes`, and one chunk.
 */
export class LengthFramer extends CountedFramer {
  protected lengthOf(queue: ByteQueue): number | undefined {
    if (queue.length < PREFIX_BYTES) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = queue.take(PREFIX_BYTES);
    return a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  }
}
