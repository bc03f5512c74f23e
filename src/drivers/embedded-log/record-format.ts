import { crc32 } from 'node:zlib';
import { MiB } from '../../core/units.js';

/**
 * The bytes of a segment file, from one record to a frame and back. All numbers are big-endian.
 *
 * ```
 * file    "RXFLOG1\n", then frames, one a record; a record's offset is its index among them, from 0
 * frame   head (12 bytes), body
 * head    u32 length of the body · u32 CRC-32 of the body · u32 CRC-32 of the eight bytes before
 * body    u8 flags · f64 timestamp, ms since 1970 · i32 key length, key · i32 value length, value
 * flags   1: the last record of its append; a length of −1 is null
 * ```
 *
 * The head has a check of its own, so that a damaged length is never taken for the unfinished end of a file.
 */
export const MAGIC = Buffer.from('RXFLOG1\n', 'latin1');
export const HEAD_BYTES = 12;
/** The largest body; a length above it is damage, and no memory is taken for it. */
export const MAX_BODY_BYTES = 16 * MiB;
const FIXED_BODY_BYTES = 1 + 8 + 4 + 4;
const ENDS_APPEND = 1;

/** A record as `append` is given it. */
export interface NewRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

export interface StoredRecord {
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly endsAppend: boolean;
}

export function frameBytes(record: NewRecord): number {
  return HEAD_BYTES + FIXED_BODY_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0);
}

/** The frames of one append, in one buffer. */
export function encodeFrames(records: readonly NewRecord[], timestamp: number): Buffer {
  const frames = Buffer.allocUnsafe(records.reduce((sum, record) => sum + frameBytes(record), 0));
  let at = 0;
  records.forEach((record, index) => {
    const end = at + frameBytes(record);
    const body = at + HEAD_BYTES;
    frames.writeUInt8(index === records.length - 1 ? ENDS_APPEND : 0, body);
    frames.writeDoubleBE(timestamp, body + 1);
    writeBytes(frames, writeBytes(frames, body + 9, record.key), record.value);
    frames.writeUInt32BE(end - body, at);
    frames.writeUInt32BE(crc32(frames.subarray(body, end)), at + 4);
    frames.writeUInt32BE(crc32(frames.subarray(at, at + 8)), at + 8);
    at = end;
  });
  return frames;
}

/** The length of the body that a head announces, or null where the head is damaged. */
export function bodyLength(bytes: Buffer, at: number): number | null {
  const length = bytes.readUInt32BE(at);
  const isWhole = bytes.readUInt32BE(at + 8) === crc32(bytes.subarray(at, at + 8));
  return isWhole && length >= FIXED_BODY_BYTES && length <= MAX_BODY_BYTES ? length : null;
}

/** The record of the frame at `at`, whose body of `length` bytes is all there; null where it is damaged. */
export function decodeFrame(bytes: Buffer, at: number, length: number): StoredRecord | null {
  const body = bytes.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length);
  if (crc32(body) !== bytes.readUInt32BE(at + 4)) return null;
  const key = readBytes(body, 9);
  const value = key === null ? null : readBytes(body, key.end);
  if (key === null || value === null || value.end !== length) return null;
  return {
    timestamp: body.readDoubleBE(1),
    key: key.bytes,
    value: value.bytes,
    endsAppend: (body.readUInt8(0) & ENDS_APPEND) !== 0,
  };
}

function writeBytes(into: Buffer, at: number, bytes: Uint8Array | null): number {
  into.writeInt32BE(bytes === null ? -1 : bytes.length, at);
  if (bytes !== null) into.set(bytes, at + 4);
  return at + 4 + (bytes?.length ?? 0);
}

function readBytes(body: Buffer, at: number): { bytes: Buffer | null; end: number } | null {
  if (at + 4 > body.length) return null;
  const length = body.readInt32BE(at);
  const start = at + 4;
  if (length === -1) return { bytes: null, end: start };
  if (length < 0 || start + length > body.length) return null;
  return { bytes: body.subarray(start, start + length), end: start + length };
}
