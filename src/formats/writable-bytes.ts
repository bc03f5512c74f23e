/**
 * Writes Hadoop's Writables into one growing buffer. Bounds: twice what is written.
 *
 * Source: Hadoop 3.4.1, `WritableUtils`, `Text`, `LongWritable`.
 */
export class WritableBytes {
  #bytes: Buffer;
  #at = 0;

  /** With room for so many bytes at first. */
  constructor(room: number) {
    this.#bytes = Buffer.allocUnsafeSlow(room);
  }

  get length(): number {
    return this.#at;
  }

  /** What was written, not copied. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Begins anew, in the same memory. */
  clear(): void {
    this.#at = 0;
  }

  /** Takes what was written, and begins anew. */
  take(): Buffer {
    const { written } = this;
    this.#bytes = Buffer.allocUnsafeSlow(this.#bytes.length);
    this.#at = 0;
    return written;
  }

  /** Bytes as they are. */
  fixed(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  boolean(value: boolean): void {
    this.#byte(value ? 1 : 0);
  }

  int32(value: number): void {
    this.#makeRoom(4);
    this.#at = this.#bytes.writeInt32BE(value, this.#at);
  }

  int64(value: bigint): void {
    this.#makeRoom(8);
    this.#at = this.#bytes.writeBigInt64BE(value, this.#at);
  }

  /** A length, in one byte to 127, and otherwise in as many as it needs behind one that says how many. */
  vint(length: number): void {
    if (length <= 127) {
      this.#byte(length);
      return;
    }
    const bytes = Math.ceil((32 - Math.clz32(length)) / 8);
    this.#byte(-112 - bytes);
    for (let at = bytes - 1; at >= 0; at -= 1) this.#byte(length >>> (at * 8));
  }

  /** A `Text`: UTF-8 behind its length. */
  text(text: string): void {
    const length = Buffer.byteLength(text);
    this.vint(length);
    this.#makeRoom(length);
    this.#at += this.#bytes.write(text, this.#at, 'utf8');
  }

  #byte(value: number): void {
    this.#makeRoom(1);
    this.#bytes[this.#at] = value & 0xff;
    this.#at += 1;
  }

  #makeRoom(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#at + bytes));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
