import { DecodeError } from '../core/errors.js';

/** What is wrong with bytes that are no Avro, and at which of them. */
export class AvroFault extends DecodeError {
  readonly problem: string;
  readonly offset: number;

  constructor(problem: string, offset: number, code: 'RXF_DECODE_SYNTAX' | 'RXF_DECODE_SHAPE' = 'RXF_DECODE_SYNTAX') {
    super(code, `Not Avro: ${problem}, at byte ${offset}.`, { details: { offset } });
    this.problem = problem;
    this.offset = offset;
  }
}

/** The largest number of 28 bits, and one more: bits beyond them are added, since a shift has only 32. */
const BITS_28 = 2 ** 28;
const BITS_49 = 2 ** 49;

/**
 * Reads Avro's binary encoding. Every length is checked against the remaining bytes before anything is allocated, so no input
 * can use more memory than its own size.
 *
 * Fails: `RXF_DECODE_SYNTAX` if the bytes end too early or a number is invalid.
 * Source: Avro 1.11 specification, "Binary Encoding".
 */
export class AvroReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** The offset of the byte that is read next. */
  get at(): number {
    return this.#at;
  }

  /** A whole number up to ±(2^53 − 1): no length is larger. */
  long(): number {
    const start = this.#at;
    const value = this.long64();
    if (typeof value !== 'number') throw new AvroFault('a number is too large', start);
    return value;
  }

  /** A whole number of 32 bits. */
  int(): number {
    const start = this.#at;
    const value = this.long64();
    if (typeof value === 'number' && value === (value | 0)) return value;
    throw new AvroFault(`${value} is no number of 32 bits`, start);
  }

  /** A whole number of 64 bits; a BigInt beyond ±(2^53 − 1). */
  long64(): number | bigint {
    const first = this.#bytes[this.#at];
    if (first === undefined || first >= 0x80) return this.#longer();
    this.#at += 1;
    return (first >>> 1) ^ -(first & 1);
  }

  #longer(): number | bigint {
    let [value, scale, shift] = [0, BITS_28, 0];
    let byte: number;
    do {
      byte = this.#byte();
      value |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte >= 0x80 && shift < 28);
    if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    do {
      byte = this.#byte();
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
    } while (byte >= 0x80 && scale < BITS_49);
    if (byte >= 0x80) {
      const high = this.#highBits();
      if (high >= 16) return unzigzag((BigInt(high) << 49n) + BigInt(value));
      value += high * BITS_49;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** Of a number of 64 bits those behind the first 49. */
  #highBits(): number {
    let value = 0;
    for (let shift = 0; shift < 21; shift += 7) {
      const byte = this.#byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80 && value < 2 ** 15) return value;
    }
    throw new AvroFault('a number has more than 64 bits', this.#at);
  }

  float(): number {
    return this.#bytes.readFloatLE(this.skip(4));
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.skip(8));
  }

  boolean(): boolean {
    const byte = this.#byte();
    if (byte > 1) throw new AvroFault(`${byte} is neither true nor false`, this.#at - 1);
    return byte === 1;
  }

  /** So many bytes, not copied. */
  fixed(length: number): Buffer {
    const start = this.skip(length);
    return this.#bytes.subarray(start, this.#at);
  }

  /** Bytes behind their length, not copied. */
  bytes(): Buffer {
    return this.fixed(this.long());
  }

  /** A text; what is not UTF-8 becomes U+FFFD. */
  text(): string {
    const start = this.skip(this.long());
    return this.#bytes.toString('utf8', start, this.#at);
  }

  /** A text; what is not UTF-8 is an error. */
  string(): string {
    const start = this.skip(this.long());
    const text = this.#bytes.toString('utf8', start, this.#at);
    // U+FFFD stands for what is not UTF-8, or for itself.
    if (text.includes('\ufffd') && !Buffer.from(text).equals(this.#bytes.subarray(start, this.#at))) {
      throw new AvroFault('a text is not UTF-8', start);
    }
    return text;
  }

  /**
   * How many items the next block of an array or map has, 0 at its end. An item takes at least `leastBytes`, so an impossible
   * count is rejected before an item is read.
   */
  block(leastBytes: number): number {
    const start = this.#at;
    let count = this.long();
    if (count < 0) {
      count = -count;
      // The size of the block in bytes, for those who want to pass over it.
      this.long();
    }
    if (count * leastBytes > this.left) {
      throw new AvroFault(`${count} items are declared, ${this.left} bytes are left`, start);
    }
    return count;
  }

  /** Passes over so many bytes; gives the offset of the first. */
  skip(length: number): number {
    const start = this.#at;
    if (length < 0 || length > this.left) {
      throw new AvroFault(`${length} bytes are declared, ${this.left} are left`, start);
    }
    this.#at += length;
    return start;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new AvroFault('the bytes end too early', this.#at);
    this.#at += 1;
    return byte;
  }
}

function unzigzag(zigzag: bigint): number | bigint {
  const value = (zigzag >> 1n) ^ -(zigzag & 1n);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** Texts up to so many characters are written one by one, which is faster than a call into Node. */
const SHORT = 48;

/** Writes Avro's binary encoding into one growing buffer. Bounds: twice what is written. */
export class AvroWriter {
  #bytes: Buffer;
  #at = 0;

  /** `from`: how many bytes there is room for at first, or a buffer to write into, for as long as it is large enough. */
  constructor(from: number | Buffer) {
    this.#bytes = typeof from === 'number' ? Buffer.allocUnsafeSlow(from) : from;
  }

  get length(): number {
    return this.#at;
  }

  /** The whole buffer that is written into now. */
  get buffer(): Buffer {
    return this.#bytes;
  }

  /** What was written, not copied. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Drops what was written behind a length of before. */
  rewind(length: number): void {
    this.#at = length;
  }

  /** Takes what was written, and begins anew. */
  take(): Buffer {
    const { written } = this;
    this.#bytes = Buffer.allocUnsafeSlow(this.#bytes.length);
    this.#at = 0;
    return written;
  }

  /** A whole number between ±2^52. */
  long(value: number): void {
    this.#makeRoom(10);
    let rest = value < 0 ? -2 * value - 1 : 2 * value;
    while (rest >= 0x80) {
      this.#bytes[this.#at] = (rest % 0x80) | 0x80;
      this.#at += 1;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#at] = rest;
    this.#at += 1;
  }

  /** A whole number of 64 bits. */
  bigLong(value: bigint): void {
    this.#makeRoom(10);
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    while (rest >= 0x80n) {
      this.#bytes[this.#at] = Number(rest & 0x7fn) | 0x80;
      this.#at += 1;
      rest >>= 7n;
    }
    this.#bytes[this.#at] = Number(rest);
    this.#at += 1;
  }

  boolean(value: boolean): void {
    this.#makeRoom(1);
    this.#bytes[this.#at] = value ? 1 : 0;
    this.#at += 1;
  }

  float(value: number): void {
    this.#makeRoom(4);
    this.#at = this.#bytes.writeFloatLE(value, this.#at);
  }

  double(value: number): void {
    this.#makeRoom(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  fixed(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  bytes(bytes: Uint8Array): void {
    this.long(bytes.length);
    this.fixed(bytes);
  }

  text(text: string): void {
    const start = this.#at;
    if (text.length <= SHORT) {
      this.#makeRoom(SHORT + 10);
      this.long(text.length);
      let at = 0;
      for (; at < text.length; at += 1) {
        const code = text.charCodeAt(at);
        if (code >= 0x80) break;
        this.#bytes[this.#at + at] = code;
      }
      if (at === text.length) {
        this.#at += at;
        return;
      }
      this.#at = start;
    }
    const length = Buffer.byteLength(text);
    this.long(length);
    this.#makeRoom(length);
    this.#bytes.write(text, this.#at);
    this.#at += length;
  }

  /** A number of 32 bits, not in Avro's encoding; returns its position, for `setInt32`. */
  int32(value: number): number {
    this.#makeRoom(4);
    this.#bytes.writeInt32BE(value, this.#at);
    this.#at += 4;
    return this.#at - 4;
  }

  setInt32(at: number, value: number): void {
    this.#bytes.writeInt32BE(value, at);
  }

  #makeRoom(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#at + bytes));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
