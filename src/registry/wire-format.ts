import { DecodeError } from '../core/errors.js';
import { lastHeader, type RecordHeaders } from '../core/headers.js';

/** The header that names the schema of a record's value. */
export const VALUE_SCHEMA_HEADER = '__value_schema_id';

const [ID, GUID] = [0, 1];
const MAX_INDEXES = 100;
/** The index of the first message of a file, which nearly all are: one byte instead of two. */
const FIRST: readonly number[] = [0];

/**
 * How a record names its schema, and where its payload begins: in the value by a zero byte and an id, or in a header by an id
 * or a GUID. One object for all records, so that reading a frame allocates nothing but the payload's view.
 *
 * Fails: `RXF_DECODE_EMPTY` for a tombstone, `RXF_DECODE_SYNTAX` for a value that is not framed.
 * Source: Confluent's wire format; since 8.0 in headers.
 */
export class Frame {
  /** Undefined where the header has a GUID. */
  id: number | undefined;
  guid = '';
  /** Of a Protobuf message: the way to it in its file. */
  indexes: readonly number[] = FIRST;
  payload: Buffer = Buffer.alloc(0);
  #bytes: Buffer = this.payload;
  #at = 0;

  read(value: Uint8Array | null, origin: RecordHeaders, hasIndexes: boolean): void {
    if (value === null || value === undefined) throw emptyError();
    const header = lastHeader(origin, VALUE_SCHEMA_HEADER);
    const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    let payloadAt = 0;
    if (header === undefined || header === null) {
      if (bytes.length === 0) throw emptyError();
      if (bytes.length < 5 || bytes[0] !== 0) throw unframedError(bytes);
      this.id = bytes.readInt32BE(1);
      payloadAt = 5;
    } else {
      this.#readHeader(header);
    }
    this.indexes = FIRST;
    if (hasIndexes) {
      // They follow the id, wherever that is.
      const isInHeader = payloadAt === 0;
      this.#bytes = isInHeader ? Buffer.from(header as Uint8Array) : bytes;
      this.#at = isInHeader ? (this.id === undefined ? 17 : 5) : payloadAt;
      this.indexes = this.#readIndexes();
      if (!isInHeader) payloadAt = this.#at;
    }
    this.payload = payloadAt === 0 ? bytes : bytes.subarray(payloadAt);
  }

  #readHeader(header: Uint8Array): void {
    const bytes = Buffer.from(header.buffer, header.byteOffset, header.byteLength);
    if (bytes[0] === ID && bytes.length >= 5) {
      this.id = bytes.readInt32BE(1);
    } else if (bytes[0] === GUID && bytes.length >= 17) {
      this.id = undefined;
      const hex = bytes.toString('hex', 1, 17);
      this.guid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
    } else {
      throw syntaxError(
        `the header ${VALUE_SCHEMA_HEADER} is ${shownBytes(bytes)}, which is neither 00 with an id of four bytes nor 01 with a GUID of ` +
          'sixteen',
      );
    }
  }

  #readIndexes(): readonly number[] {
    const count = this.#varint();
    if (count === 0) return FIRST;
    if (count < 0 || count > MAX_INDEXES) throw syntaxError(`${count} message indexes are declared`);
    const indexes: number[] = [];
    for (let at = 0; at < count; at += 1) {
      const index = this.#varint();
      if (index < 0) throw syntaxError(`a message index is ${index}`);
      indexes.push(index);
    }
    return indexes;
  }

  /** Zigzag, at most 32 bits. */
  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw syntaxError('it ends within the message indexes');
      this.#at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw syntaxError('a message index is too large');
  }
}

/** What names a schema: before the payload where `guid` is undefined or the framing is `value`, else in a header. */
export function framePrefix(id: number, indexes: readonly number[] | undefined): Buffer {
  const head = Buffer.alloc(5);
  head.writeInt32BE(id, 1);
  return indexes === undefined ? head : Buffer.concat([head, indexBytes(indexes)]);
}

/** The header's value: the GUID where the registry gave one, else the id. */
export function frameHeader(id: number, guid: string | undefined, indexes: readonly number[] | undefined): Buffer {
  if (guid === undefined) return framePrefix(id, indexes);
  const head = Buffer.concat([Buffer.of(GUID), Buffer.from(guid.replaceAll('-', ''), 'hex')]);
  return indexes === undefined ? head : Buffer.concat([head, indexBytes(indexes)]);
}

function indexBytes(indexes: readonly number[]): Buffer {
  if (indexes.length === 1 && indexes[0] === 0) return Buffer.of(0);
  const bytes: number[] = [];
  for (const one of [indexes.length, ...indexes]) {
    let rest = one * 2;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
    bytes.push(rest);
  }
  return Buffer.from(bytes);
}

function emptyError(): DecodeError {
  return new DecodeError(
    'RXF_DECODE_EMPTY',
    'Expected a value with a schema id, got no value (a tombstone). Drop tombstones with `filterValue((value) => value !== null)` first.',
  );
}

function unframedError(bytes: Buffer): DecodeError {
  return syntaxError(
    `it begins with ${shownBytes(bytes)} instead of 00 and an id of four bytes, and has no header ${VALUE_SCHEMA_HEADER}. If the producer ` +
      'does not use a schema registry, take a decoder without one',
  );
}

function syntaxError(problem: string): DecodeError {
  return new DecodeError('RXF_DECODE_SYNTAX', `Not the wire format of a schema registry: ${problem}.`);
}

function shownBytes(bytes: Buffer): string {
  return bytes.length === 0 ? 'no byte' : `${bytes.toString('hex', 0, 20)} (hex)`;
}
