import type { KafkaOutgoing } from '../../../ports/kafka-producer.js';

/** Records as they are in a batch, not compressed. */
export interface WrittenRecords {
  readonly bytes: Buffer;
  readonly firstTimestamp: number;
  readonly maxTimestamp: number;
}

/** The most that a record has besides its key, value and headers: its length, attributes, two deltas, two lengths, a count. */
const MAX_FRAME_BYTES = 5 + 1 + 10 + 5 + 5 + 5 + 5;
const ATTRIBUTES = 0;
const NULL_LENGTH = 1;
/** Below this a loop is faster than a call into C++. */
const SHORT = 32;

/** The most bytes a record takes in a batch. */
export function mostRecordBytes({ key, value, headers }: KafkaOutgoing): number {
  let bytes = MAX_FRAME_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  // A name may have four bytes for each two characters of it; its length and its value's take five at most.
  for (const [name, one] of headers) bytes += 10 + name.length * 3 + (one?.length ?? 0);
  return bytes;
}

/**
 * Writes records one after the other behind `reserve` bytes that are left free for the header of their batch.
 *
 * Source: Kafka's DefaultRecord.
 */
export function writeRecords(records: readonly KafkaOutgoing[], now: number, reserve: number): WrittenRecords {
  let room = reserve;
  for (const record of records) room += mostRecordBytes(record);
  const out = new RecordWriter(Buffer.allocUnsafe(room), reserve);
  const firstTimestamp = records[0]?.timestamp ?? now;
  let maxTimestamp = firstTimestamp;
  for (let offset = 0; offset < records.length; offset += 1) {
    const record = records[offset] as KafkaOutgoing;
    const timestamp = record.timestamp ?? now;
    if (timestamp > maxTimestamp) maxTimestamp = timestamp;
    out.record(record, timestamp - firstTimestamp, offset);
  }
  return { bytes: out.bytes.subarray(0, out.at), firstTimestamp, maxTimestamp };
}

class RecordWriter {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  record({ key, value, headers }: KafkaOutgoing, timestampDelta: number, offsetDelta: number): void {
    let size = 1 + sizeOf(timestampDelta) + sizeOf(offsetDelta) + sizeOfBytes(key) + sizeOfBytes(value);
    for (const [name, one] of headers) {
      const length = Buffer.byteLength(name);
      size += sizeOf(length) + length + sizeOfBytes(one);
    }
    this.#number(size + sizeOf(headers.length));
    this.bytes[this.at++] = ATTRIBUTES;
    this.#number(timestampDelta);
    this.#number(offsetDelta);
    this.#sized(key);
    this.#sized(value);
    this.#number(headers.length);
    for (const [name, one] of headers) {
      this.#number(Buffer.byteLength(name));
      this.at += this.bytes.write(name, this.at);
      this.#sized(one);
    }
  }

  /** A varint, zigzag: the first byte has six bits of it above the sign. */
  #number(value: number): void {
    const isNegative = value < 0;
    const size = isNegative ? -(value + 1) : value;
    let byte = (size % 64) * 2 + (isNegative ? 1 : 0);
    let left = Math.floor(size / 64);
    while (left > 0) {
      this.bytes[this.at++] = byte | 128;
      byte = left % 128;
      left = Math.floor(left / 128);
    }
    this.bytes[this.at++] = byte;
  }

  #sized(bytes: Uint8Array | null): void {
    if (bytes === null) {
      this.bytes[this.at++] = NULL_LENGTH;
      return;
    }
    const { length } = bytes;
    this.#number(length);
    if (length > SHORT) this.bytes.set(bytes, this.at);
    else for (let index = 0; index < length; index += 1) this.bytes[this.at + index] = bytes[index] as number;
    this.at += length;
  }
}

function sizeOf(value: number): number {
  let left = Math.floor((value < 0 ? -(value + 1) : value) / 64);
  let size = 1;
  while (left > 0) {
    left = Math.floor(left / 128);
    size += 1;
  }
  return size;
}

function sizeOfBytes(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : sizeOf(bytes.length) + bytes.length;
}
