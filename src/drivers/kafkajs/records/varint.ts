import { corrupt } from './fetched-messages.js';

/** 64 bits, seven in a byte. */
const MAX_BYTES = 10;
/** Seven bytes are 49 bits, eight are 56: more than a number adds up exactly. */
const EXACT_BYTES = 7;

/** Reads what Kafka writes as varints (zigzag), one after the other. */
export class Cursor {
  at: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** Exact where it is a safe integer, else the nearest number. */
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

  /** All 64 bits of it. */
  varlong(): bigint {
    let value = 0n;
    for (let index = 0; index < MAX_BYTES; index += 1) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) throw corrupt('a number is cut');
      value |= BigInt(byte & 0x7f) << BigInt(index * 7);
      if (byte < 0x80) {
        const whole = BigInt.asUintN(64, value);
        return (whole >> 1n) ^ -(whole & 1n);
      }
    }
    throw corrupt('a number is too long');
  }

  /** A length: −1 stands for nothing at all, where there may be nothing. */
  length(least: 0 | -1): number {
    const length = this.varint();
    if (length < least) throw corrupt(`a length is ${length}`);
    return length;
  }

  #long(low: number): number {
    const from = this.at - 1;
    let value = low;
    let factor = 128;
    for (let index = 1; index < EXACT_BYTES; index += 1) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) throw corrupt('a number is cut');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      factor *= 128;
    }
    // From here on the last bit, which is the sign, would be rounded away.
    this.at = from;
    return Number(this.varlong());
  }
}
