import { DecodeError } from '../core/errors.js';
import { bufferOf } from './json.js';
import { pathOf } from './json-path.js';

/** How deep arrays and maps may be in each other. */
const MAX_DEPTH = 500;
const TIMESTAMP = -1;
const NS_PER_MS = 1_000_000;

/** Reads one value. Source: MessagePack specification, "Formats", "Timestamp extension type". */
export class MessagePackReader {
  readonly #bytes: Buffer;
  readonly #truncatesTimes: boolean;
  #at = 0;
  #depth = 0;
  /** Where it failed, from the inside out. */
  readonly #steps: (string | number)[] = [];

  constructor(bytes: Uint8Array, truncatesTimes: boolean) {
    this.#bytes = bufferOf(bytes);
    this.#truncatesTimes = truncatesTimes;
  }

  /** The value that all of the bytes are. */
  all(): unknown {
    try {
      const value = this.#value();
      const left = this.#bytes.length - this.#at;
      if (left > 0) throw new Fault(`${left} bytes are left behind the value`, this.#at);
      return value;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const path = pathOf(this.#steps.reverse());
      throw new DecodeError(
        error.code,
        `Cannot read \`${path}\` as MessagePack: ${error.message}, at byte ${error.offset}. ${error.next}.`,
        { details: { path, offset: error.offset } },
      );
    }
  }

  #value(): unknown {
    const head = this.#uint(1);
    if (head < 0x80) return head;
    if (head < 0x90) return this.#map(head & 0xf);
    if (head < 0xa0) return this.#array(head & 0xf);
    if (head < 0xc0) return this.#text(head & 0x1f);
    if (head >= 0xe0) return head - 0x100;
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return Buffer.from(this.#part(this.#uint(1 << (head - 0xc4))));
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#uint(1 << (head - 0xc7)));
      case 0xca:
        return this.#bytes.readFloatBE(this.#pass(4));
      case 0xcb:
        return this.#bytes.readDoubleBE(this.#pass(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#uint(1 << (head - 0xcc));
      case 0xcf:
        return safe(this.#bytes.readBigUInt64BE(this.#pass(8)));
      case 0xd0:
        return this.#bytes.readInt8(this.#pass(1));
      case 0xd1:
        return this.#bytes.readInt16BE(this.#pass(2));
      case 0xd2:
        return this.#bytes.readInt32BE(this.#pass(4));
      case 0xd3:
        return safe(this.#bytes.readBigInt64BE(this.#pass(8)));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(1 << (head - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#uint(1 << (head - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#uint(head === 0xdc ? 2 : 4));
      case 0xde:
      case 0xdf:
        return this.#map(this.#uint(head === 0xde ? 2 : 4));
      default:
        throw new Fault('0xc1 begins no value', this.#at - 1);
    }
  }

  #array(count: number): unknown[] {
    this.#enter(count, 1);
    const value: unknown[] = [];
    try {
      for (let at = 0; at < count; at += 1) value.push(this.#value());
    } catch (error) {
      this.#steps.push(value.length);
      throw error;
    }
    this.#depth -= 1;
    return value;
  }

  #map(count: number): Record<string, unknown> {
    this.#enter(count, 2);
    const value: Record<string, unknown> = {};
    let key: string | undefined;
    try {
      for (let at = 0; at < count; at += 1) {
        key = undefined;
        key = this.#key();
        const part = this.#value();
        if (key !== '__proto__') value[key] = part;
        // An assignment would set the prototype.
        else Object.defineProperty(value, key, { value: part, enumerable: true, configurable: true, writable: true });
      }
    } catch (error) {
      if (key !== undefined) this.#steps.push(key);
      throw error;
    }
    this.#depth -= 1;
    return value;
  }

  #key(): string {
    const start = this.#at;
    const key = this.#value();
    if (typeof key === 'string') return key;
    if (typeof key === 'bigint' || Number.isInteger(key)) return String(key);
    throw new Fault('a key is neither a text nor an integer', start);
  }

  #text(length: number): string {
    const part = this.#part(length);
    const text = part.toString();
    // U+FFFD stands for what is not UTF-8, or for itself.
    if (text.includes('\ufffd') && !Buffer.from(text).equals(part)) {
      throw new Fault('a text is not UTF-8', this.#at - length);
    }
    return text;
  }

  #extension(length: number): unknown {
    const start = this.#at;
    const type = this.#bytes.readInt8(this.#pass(1));
    const data = this.#part(length);
    if (type !== TIMESTAMP) return { type, data: Buffer.from(data) };
    return this.#date(data, start);
  }

  #date(data: Buffer, start: number): Date {
    let [seconds, ns] = [0, 0];
    if (data.length === 4) seconds = data.readUInt32BE();
    else if (data.length === 8) {
      ns = data.readUInt32BE() >>> 2;
      seconds = (data.readUInt32BE() & 3) * 2 ** 32 + data.readUInt32BE(4);
    } else if (data.length === 12) {
      ns = data.readUInt32BE();
      seconds = Number(data.readBigInt64BE(4));
    } else throw new Fault(`a timestamp has ${data.length} bytes`, start);
    if (ns >= 1_000 * NS_PER_MS) throw new Fault('a timestamp has more than 999,999,999 nanoseconds', start);
    if (ns % NS_PER_MS !== 0 && !this.#truncatesTimes) {
      throw new Fault(
        'a timestamp has more digits than a Date holds',
        start,
        'RXF_DECODE_INEXACT',
        "Drop them with `timestamps: 'truncated'`",
      );
    }
    const date = new Date(seconds * 1_000 + Math.floor(ns / NS_PER_MS));
    if (!Number.isNaN(date.getTime())) return date;
    throw new Fault('a timestamp is beyond the times of a Date', start, 'RXF_DECODE_INEXACT', 'Correct the producer');
  }

  #enter(count: number, leastBytes: number): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH)
      throw new Fault(`more than ${MAX_DEPTH} arrays and maps are within each other`, this.#at);
    const left = this.#bytes.length - this.#at;
    if (count * leastBytes > left) throw new Fault(`${count} items are declared, ${left} bytes are left`, this.#at);
  }

  #uint(bytes: number): number {
    return this.#bytes.readUIntBE(this.#pass(bytes), bytes);
  }

  #part(length: number): Buffer {
    const start = this.#pass(length);
    return this.#bytes.subarray(start, this.#at);
  }

  /** The offset of so many bytes, which are behind it then. */
  #pass(length: number): number {
    const start = this.#at;
    const left = this.#bytes.length - start;
    if (length > left) throw new Fault(`${length} bytes are declared, ${left} are left`, start);
    this.#at += length;
    return start;
  }
}

class Fault extends Error {
  readonly offset: number;
  readonly code: 'RXF_DECODE_SYNTAX' | 'RXF_DECODE_INEXACT';
  /** What to do next. */
  readonly next: string;

  constructor(
    problem: string,
    offset: number,
    code: 'RXF_DECODE_SYNTAX' | 'RXF_DECODE_INEXACT' = 'RXF_DECODE_SYNTAX',
    next = 'Correct the producer, or set such values aside',
  ) {
    super(problem);
    this.offset = offset;
    this.code = code;
    this.next = next;
  }
}

function safe(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
