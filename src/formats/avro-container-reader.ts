import zlib from 'node:zlib';
import { DecodeError } from '../core/errors.js';
import { InflateFault } from './inflate/fault.js';
import { inflateSnappy } from './inflate/snappy.js';
import { inflateZstd } from './inflate/zstd.js';

/** The encoded values of one block, without its codec. */
export interface AvroBlock {
  readonly count: number;
  readonly bytes: Buffer;
}

const MAGIC = Buffer.from('Obj\u0001', 'latin1');
const SYNC_BYTES = 16;
/** A varint of 64 bits. */
const MAX_VARINT_BYTES = 10;

/** What is there of a file does not suffice. */
const MORE = new Error('More bytes are needed.');

/**
 * Takes the blocks out of an Avro object container file as its bytes arrive: `push` a chunk, then call `next` until it gives nothing.
 *
 * Bounds: a block, or the header, of `maxBytes`, as stored and as inflated, and one chunk.
 * Fails: `RXF_DECODE_SYNTAX` at what is no such file, or is damaged, with the byte; `RXF_DECODE_TOO_LARGE` beyond `maxBytes`.
 * Source: Avro 1.12 specification, "Object Container Files".
 */
export class AvroContainerReader {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #length = 0;
  /** So many bytes are needed before another attempt makes sense. */
  #wanted = MAGIC.length;
  /** Where the first byte that is held lies in the file. */
  #offset = 0;
  #header: { readonly schema: string; readonly codec: string; readonly sync: Buffer } | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The text of the schema that the values were written with; undefined before the header is there. */
  get schema(): string | undefined {
    return this.#header?.schema;
  }

  push(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#length += chunk.length;
  }

  next(): AvroBlock | undefined {
    if (this.#length < this.#wanted || this.#length === 0) return undefined;
    const bytes = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts, this.#length);
    this.#parts = [bytes];
    const scan = new Scan(bytes, this.#offset, this.#maxBytes);
    try {
      if (this.#header === undefined) {
        this.#header = headerOf(scan);
        this.#keep(bytes, scan.at);
      }
      if (scan.at === bytes.length) return undefined;
      const block = this.#block(scan, this.#header);
      this.#keep(bytes, scan.at);
      return block;
    } catch (error) {
      if (error !== MORE) throw error;
      // Many small entries of a header may be as large as a file.
      if (this.#header === undefined && this.#length > this.#maxBytes) throw tooLarge(this.#maxBytes, 0);
      this.#wanted = this.#length - (bytes.length - scan.needed);
      return undefined;
    }
  }

  /** No more comes. */
  end(): void {
    if (this.#header !== undefined && this.#length === 0) return;
    throw fault(this.#header === undefined ? 'its header' : 'a block of it', 'is cut off', this.#offset + this.#length);
  }

  #keep(bytes: Buffer, from: number): void {
    const rest = bytes.length - from;
    this.#offset += this.#length - rest;
    this.#parts = rest === 0 ? [] : [bytes.subarray(from)];
    this.#length = rest;
    this.#wanted = 1;
  }

  #block(scan: Scan, { codec, sync }: { readonly codec: string; readonly sync: Buffer }): AvroBlock {
    const start = scan.at;
    const count = scan.long('the count of a block');
    const stored = scan.bytes('a block');
    const end = scan.at;
    if (!scan.take(SYNC_BYTES).equals(sync))
      throw fault('the marker behind a block', 'is not that of the file', scan.offsetOf(end));
    if (count < 0) throw fault('the count of a block', `is ${count}`, scan.offsetOf(start));
    try {
      return { count, bytes: inflated(codec, stored, this.#maxBytes) };
    } catch (cause) {
      if (isTooLarge(cause)) throw tooLarge(this.#maxBytes, scan.offsetOf(start));
      throw fault('a block', `cannot be inflated as ${codec}`, scan.offsetOf(start), cause);
    }
  }
}

/** Reads from bytes of which more may come. */
class Scan {
  at = 0;
  /** Up to where bytes are needed. */
  needed = 0;
  readonly #bytes: Buffer;
  readonly #offset: number;
  readonly #maxBytes: number;

  constructor(bytes: Buffer, offset: number, maxBytes: number) {
    this.#bytes = bytes;
    this.#offset = offset;
    this.#maxBytes = maxBytes;
  }

  offsetOf(at: number): number {
    return this.#offset + at;
  }

  long(what: string): number {
    let [value, scale] = [0, 1];
    for (let n = 0; n < MAX_VARINT_BYTES; n += 1) {
      const byte = this.#bytes[this.at + n];
      if (byte === undefined) return this.#more(this.at + n + 1);
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte >= 0x80) continue;
      if (!Number.isSafeInteger(value)) break;
      this.at += n + 1;
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw fault(what, 'is no number', this.offsetOf(this.at));
  }

  take(count: number): Buffer {
    if (this.at + count > this.#bytes.length) return this.#more(this.at + count);
    this.at += count;
    return this.#bytes.subarray(this.at - count, this.at);
  }

  /** Bytes behind their length. */
  bytes(what: string): Buffer {
    const start = this.at;
    const length = this.long(`the length of ${what}`);
    if (length < 0) throw fault(`the length of ${what}`, `is ${length}`, this.offsetOf(start));
    if (length > this.#maxBytes) throw tooLarge(this.#maxBytes, this.offsetOf(start));
    return this.take(length);
  }

  #more(needed: number): never {
    this.needed = needed;
    throw MORE;
  }
}

function headerOf(scan: Scan) {
  if (!scan.take(MAGIC.length).equals(MAGIC)) throw fault('its beginning', 'is not `Obj` and 1', scan.offsetOf(0));
  const entries = new Map<string, Buffer>();
  for (let count = scan.long('a count of the header'); count !== 0; count = scan.long('a count of the header')) {
    // A negative count has the length of its entries behind it.
    if (count < 0) scan.long('a length of the header');
    for (let at = Math.abs(count); at > 0; at -= 1)
      entries.set(scan.bytes('a key of the header').toString(), scan.bytes('the header'));
  }
  const sync = Buffer.from(scan.take(SYNC_BYTES));
  const schema = entries.get('avro.schema')?.toString();
  if (schema === undefined) throw fault('its header', 'has no schema', scan.offsetOf(0));
  return { schema, codec: entries.get('avro.codec')?.toString() ?? 'null', sync };
}

function inflated(codec: string, stored: Buffer, most: number): Buffer {
  switch (codec) {
    case 'null':
      return stored;
    case 'deflate':
      return zlib.inflateRawSync(stored, { maxOutputLength: most });
    case 'zstandard':
      return inflateZstd(stored, most);
    case 'snappy': {
      const plain = inflateSnappy(stored.subarray(0, -4), most);
      if (stored.length < 4 || zlib.crc32(plain) !== stored.readUInt32BE(stored.length - 4))
        throw new Error('its checksum is wrong');
      return plain;
    }
    default:
      throw new Error('this codec is not supported; known are null, deflate, snappy and zstandard');
  }
}

function isTooLarge(cause: unknown): boolean {
  if (cause instanceof InflateFault) return cause.isTooLarge;
  return (cause as { readonly code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE';
}

function fault(what: string, problem: string, offset: number, cause?: unknown): DecodeError {
  const why = cause instanceof Error ? `: ${cause.message.replace(/\.$/, '')}` : '';
  return new DecodeError('RXF_DECODE_SYNTAX', `Not a whole Avro file: ${what} ${problem}${why}, at byte ${offset}.`, {
    details: { offset },
    ...(cause !== undefined && { cause }),
  });
}

function tooLarge(maxBytes: number, offset: number): DecodeError {
  return new DecodeError(
    'RXF_DECODE_TOO_LARGE',
    `The header or block of Avro at byte ${offset} has more than \`maxBytes\`, which is ${maxBytes}, or is damaged. Raise \`maxBytes\` of avroRecords, or correct the file.`,
    { details: { offset, maxBytes } },
  );
}
