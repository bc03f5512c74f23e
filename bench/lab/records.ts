import { crc32c } from '../../src/drivers/kafkajs/records/crc32c.js';

const FILLER = Buffer.from('Hello, where is my order? '.repeat(60_000));
const HEADER_BYTES = 61;
/** More than what a record has besides its value. */
const RECORD_OVERHEAD_BYTES = 32;

/** The value of the numbered record: a JSON object in UTF-8 of exactly that many bytes, or of as few as its fields take. */
export function writeValue(into: Buffer, start: number, n: number, bytes: number, stampMs = 0): number {
  const head =
    bytes < 80
      ? `{"n":${n},"t":"`
      : `{"n":${n},"at":${stampMs},"lang":"${n % 4 === 0 ? 'en' : 'zh'}","user":"user-${n % 1000}","text":"`;
  let at = start + into.write(head, start, 'latin1');
  const filling = bytes - head.length - 2;
  if (filling > 0) at += FILLER.copy(into, at, 0, filling);
  return at + into.write('"}', at, 'latin1');
}

export interface Batch {
  readonly bytes: Buffer;
  /** Of the values, each with the newline that a line of text gets. */
  readonly lineBytes: number;
}

/** Writes the value of the numbered record, of at most `most` bytes, and returns its length. */
export interface Values {
  readonly most: number;
  write(into: Buffer, n: number): number;
}

/** Values of one size each. */
export function numberedValues(valueBytes: number, stampMs: () => number = () => 0): Values {
  return {
    most: Math.max(valueBytes, 40),
    write: (into, n) => writeValue(into, 0, n, valueBytes, stampMs()),
  };
}

/** A batch of the records numbered from `first`, in the form of Kafka's log. Source: Kafka's DefaultRecordBatch. */
export function encodeBatch(first: number, count: number, values: Values): Batch {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + count * (values.most + RECORD_OVERHEAD_BYTES));
  const value = Buffer.allocUnsafe(values.most);
  let at = HEADER_BYTES;
  let lineBytes = 0;
  const now = Date.now();
  for (let index = 0; index < count; index += 1) {
    const length = values.write(value, first + index);
    lineBytes += length + 1;
    const body = 1 + 1 + varintBytes(index) + 1 + varintBytes(length) + length + 1;
    at = varint(bytes, body, at);
    bytes[at] = 0;
    at = varint(bytes, 0, at + 1);
    at = varint(bytes, index, at);
    at = varint(bytes, -1, at);
    at = varint(bytes, length, at);
    at += value.copy(bytes, at, 0, length);
    at = varint(bytes, 0, at);
  }
  const batch = bytes.subarray(0, at);
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt32BE(-1, 12);
  batch[16] = 2;
  batch.writeInt16BE(0, 21);
  batch.writeInt32BE(count - 1, 23);
  batch.writeBigInt64BE(BigInt(now), 27);
  batch.writeBigInt64BE(BigInt(now), 35);
  batch.writeBigInt64BE(-1n, 43);
  batch.writeInt16BE(-1, 51);
  batch.writeInt32BE(-1, 53);
  batch.writeInt32BE(count, 57);
  batch.writeUInt32BE(crc32c(batch.subarray(21)) >>> 0, 17);
  return { bytes: batch, lineBytes };
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

function varint(into: Buffer, value: number, start: number): number {
  let left = zigzag(value);
  let at = start;
  while (left > 0x7f) {
    into[at] = (left & 0x7f) | 0x80;
    left >>>= 7;
    at += 1;
  }
  into[at] = left;
  return at + 1;
}

function varintBytes(value: number): number {
  let left = zigzag(value);
  let bytes = 1;
  while (left > 0x7f) {
    left >>>= 7;
    bytes += 1;
  }
  return bytes;
}
