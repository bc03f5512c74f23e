import { KiB } from '../../core/units.js';
import { AvroWriter } from '../../formats/avro-bytes.js';

/** What the other side sent is no frame, or a larger one than is taken: the connection cannot be read any further. */
export class FrameFault extends Error {}

const FRAME_HEADER_BYTES = 8;
const LENGTH_BYTES = 4;

/** Memory for a frame grows with what has come of it, from so many bytes on: an announced length takes none. */
const FIRST_BYTES = 64 * KiB;

const NOTHING = Buffer.alloc(0);

export interface Frame {
  readonly serial: number;
  readonly payload: Buffer;
}

/**
 * Finds frames in what a socket brings: `serial, count, count × (length, bytes)`, numbers of 32 bits, the bytes joined.
 *
 * Bounds: twice what has come of the frame under way, at most `maxBytes`. Each byte is copied at most three times,
 * however small the pieces.
 * Fails: `FrameFault` for a frame of more than `maxBytes`, as soon as its lengths say so, and for lengths below 0.
 * Source: Avro 1.11, `NettyTransportCodec`.
 */
export class FrameReader {
  readonly #maxBytes: number;
  /** A frame's header, or the length of a buffer, as far as it has come. */
  readonly #head = Buffer.alloc(FRAME_HEADER_BYTES);
  #headFilled = 0;
  #isInFrame = false;
  #serial = 0;
  /** Buffers of the frame whose end has not come. */
  #buffersLeft = 0;
  /** Bytes of the buffer under way that have not come. */
  #bytesLeft = 0;
  #payload: Buffer = NOTHING;
  #filled = 0;
  #announced = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether a frame has begun and not ended. */
  get isInside(): boolean {
    return this.#isInFrame || this.#headFilled > 0;
  }

  /** The memory taken for the frame under way. */
  get heldBytes(): number {
    return this.#payload.length;
  }

  /** Reads on from `at` up to the end of a frame, or of the chunk; the frame, if one has ended, and where to read on. */
  read(chunk: Buffer, at: number): { readonly next: number; readonly frame: Frame | undefined } {
    let next = at;
    while (next < chunk.length || (this.#isInFrame && this.#buffersLeft === 0)) {
      if (this.#bytesLeft > 0) next = this.#fill(chunk, next);
      else if (this.#isInFrame && this.#buffersLeft === 0) return { next, frame: this.#end() };
      else next = this.#readHead(chunk, next);
    }
    return { next, frame: undefined };
  }

  #readHead(chunk: Buffer, at: number): number {
    const wanted = this.#isInFrame ? LENGTH_BYTES : FRAME_HEADER_BYTES;
    const taken = Math.min(wanted - this.#headFilled, chunk.length - at);
    chunk.copy(this.#head, this.#headFilled, at, at + taken);
    this.#headFilled += taken;
    if (this.#headFilled < wanted) return at + taken;
    this.#headFilled = 0;
    if (!this.#isInFrame) {
      this.#serial = this.#head.readInt32BE(0);
      this.#buffersLeft = this.#head.readInt32BE(4);
      this.#isInFrame = true;
      this.#announce(this.#buffersLeft, LENGTH_BYTES);
      return at + taken;
    }
    this.#bytesLeft = this.#head.readInt32BE(0);
    this.#announce(this.#bytesLeft, 1);
    if (this.#bytesLeft === 0) this.#buffersLeft -= 1;
    return at + taken;
  }

  #announce(count: number, each: number): void {
    if (count < 0) throw new FrameFault(`a length of ${count} is no length: this is no frame of Avro RPC`);
    this.#announced += count * each;
    if (this.#announced > this.#maxBytes) {
      throw new FrameFault(
        `a frame of ${this.#announced} bytes or more was announced, at most ${this.#maxBytes} are taken`,
      );
    }
  }

  #fill(chunk: Buffer, at: number): number {
    const taken = Math.min(this.#bytesLeft, chunk.length - at);
    const isWhole = taken === this.#bytesLeft && this.#buffersLeft === 1 && this.#filled === 0;
    // Not copied where most of the chunk is this frame: a view keeps the whole chunk in memory.
    if (isWhole && taken * 2 >= chunk.length) this.#payload = chunk.subarray(at, at + taken);
    else {
      this.#makeRoom(taken);
      chunk.copy(this.#payload, this.#filled, at, at + taken);
    }
    this.#filled += taken;
    this.#bytesLeft -= taken;
    if (this.#bytesLeft === 0) this.#buffersLeft -= 1;
    return at + taken;
  }

  #makeRoom(bytes: number): void {
    const needed = this.#filled + bytes;
    if (needed <= this.#payload.length) return;
    const announced = this.#filled + this.#bytesLeft;
    // Where one buffer is all there is, no more than it announced is needed.
    const most = this.#buffersLeft === 1 ? announced : this.#maxBytes;
    const larger = Buffer.allocUnsafeSlow(Math.min(most, Math.max(needed, this.#payload.length * 2, FIRST_BYTES)));
    this.#payload.copy(larger, 0, 0, this.#filled);
    this.#payload = larger;
  }

  #end(): Frame {
    // A view of a buffer that is mostly empty would keep all of it.
    const isTight = this.#filled * 2 >= this.#payload.length;
    const filled = this.#payload.subarray(0, this.#filled);
    const frame = { serial: this.#serial, payload: isTight ? filled : Buffer.from(filled) };
    this.#isInFrame = false;
    this.#payload = NOTHING;
    this.#filled = 0;
    this.#announced = 0;
    return frame;
  }
}

/** A frame of one buffer, whose payload `write` writes; `sizeHint` is about how many bytes that takes. */
export function frameOf(serial: number, sizeHint: number, write: (writer: AvroWriter) => void): Buffer {
  const writer = new AvroWriter(sizeHint + FRAME_HEADER_BYTES + LENGTH_BYTES);
  writeFrame(writer, serial, write);
  return writer.written;
}

/** Writes a frame of one buffer, whose payload `write` writes. */
export function writeFrame(writer: AvroWriter, serial: number, write: (writer: AvroWriter) => void): void {
  writer.int32(serial);
  writer.int32(1);
  const length = writer.int32(0);
  write(writer);
  writer.setInt32(length, writer.length - length - LENGTH_BYTES);
}
