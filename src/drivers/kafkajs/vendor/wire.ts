import type { ForeignRequest, Internals } from './internals.js';

export type Raw = Pick<Internals, 'load'>;

/** A request of our own bytes, whose answer is judged by who sends it: kafkajs neither logs it nor looks for errors in it. */
export function requestOf<T>(
  { load }: Raw,
  of: { readonly apiKey: number; readonly apiVersion: number; readonly apiName: string },
  body: () => Buffer,
  decode: (answer: Buffer) => T | Promise<T>,
): ForeignRequest<T> {
  // kafkajs joins and copies what is not an encoder of its own.
  const Encoder = load('src/protocol/encoder.js') as new () => { writeBuffer(bytes: Buffer): unknown };
  return {
    request: { ...of, encode: async () => new Encoder().writeBuffer(body()) },
    response: { decode: async (bytes) => decode(bytes), parse: async (answer) => answer },
    logResponseError: false,
  };
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** The end of what may have tagged fields, where there are none (KIP-482). */
export const NO_TAGS = Buffer.from([0]);

export function uvarint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return Buffer.from([...bytes, left]);
}

export function compactText(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uvarint(bytes.length + 1), bytes]);
}

/** Null where it is left out. */
export function compactNullable(value: string | null): Buffer {
  return value === null ? uvarint(0) : compactText(value);
}

/** Null where it is left out; an empty list is another thing. */
export function compactArray<T>(values: readonly T[] | null, write: (value: T) => Buffer): Buffer {
  return values === null ? uvarint(0) : Buffer.concat([uvarint(values.length + 1), ...values.map(write)]);
}

export function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

/** An id as Kafka's own tools write it. */
export function uuid(id: string): Buffer {
  return Buffer.from(id, 'base64url');
}

/** Reads Kafka's forms. Reading beyond the end throws, so a wrong count ends. */
export class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int8(): number {
    this.#at += 1;
    return this.#bytes.readInt8(this.#at - 1);
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  int64(): number {
    this.#at += 8;
    return Number(this.#bytes.readBigInt64BE(this.#at - 8));
  }

  /** An id as Kafka's own tools write it. */
  uuid(): string {
    this.#at += 16;
    return this.#bytes.toString('base64url', this.#at - 16, this.#at);
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }

  /** How many there are in an array. */
  count(): number {
    return Math.max(0, this.#uvarint() - 1);
  }

  /** A text with a length of two bytes; null is the empty text. */
  shortText(): string {
    const length = Math.max(0, this.int16());
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  text(): string {
    const length = this.count();
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  /** Null where it was left out. */
  nullableText(): string | null {
    const length = this.#uvarint();
    if (length === 0) return null;
    this.#at += length - 1;
    return this.#bytes.toString('utf8', this.#at - length + 1, this.#at);
  }

  /** Reads an array. A count beyond what is left ends at the end of the bytes. */
  array<T>(read: () => T): T[] {
    const all: T[] = [];
    for (let left = this.count(); left > 0; left -= 1) all.push(read());
    return all;
  }

  /** Skips tagged fields, except those that `read` is given by their number, with a reader of their bytes. */
  tags(read: (tag: number, field: Reader) => void = () => undefined): void {
    for (let left = this.#uvarint(); left > 0; left -= 1) {
      const tag = this.#uvarint();
      const size = this.#uvarint();
      read(tag, new Reader(this.#bytes.subarray(this.#at, this.#at + size)));
      this.skip(size);
    }
  }

  #uvarint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes.readUInt8(this.#at++);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }
}
