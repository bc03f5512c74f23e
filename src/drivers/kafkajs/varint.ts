import { corrupt } from './corrupt.js';

/** Reads what Kafka writes as varints (zigzag), one after the other. */
export class Cursor {
  at: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  varint(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw corrupt('a number is cut');
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    // The lengths of most records take two bytes.
    const second = this.#bytes[this.at];
    if (second === undefined || second >= 0x80) return this.#long(byte & 0x7f);
    this.at += 1;
    const value = (byte & 0x7f) | (second << 7);
    return (value >>> 1) ^ -(value & 1);
  }

  /** A length: −1 stands for nothing at all, where there may be nothing. */
  length(least: 0 | -1): number {
    const length = this.varint();
    if (length < least) throw corrupt(`a length is ${length}`);
    return length;
  }

  #long(low: number): number {
    let value = low;
    let factor = 128;
    for (let index = 1; index < 10; index += 1) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) throw corrupt('a number is cut');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      factor *= 128;
    }
    throw corrupt('a number is too long');
  }
}
