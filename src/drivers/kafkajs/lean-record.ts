import type { KafkaRecord } from '../../ports/kafka-consumer.js';
import { corrupt } from './corrupt.js';
import type { LeanBatch } from './lean-batch.js';
import type { RecordSetting } from './record.js';
import { Cursor } from './varint.js';

/** A batch with whose it is: what all its records share. */
export interface LeanSetting {
  readonly batch: LeanBatch;
  readonly of: RecordSetting;
}

/**
 * One record as positions in the fetched bytes: key, headers and value are views into them, made when asked for.
 *
 * Bounds: a record, or a view of it, keeps alive all that came in the same answer of the broker, which is up to
 * `maxPartitionBytes` for each partition asked for and 64 MiB in all; of a compressed batch, that batch inflated. Let go
 * in order, that is no more than was fetched anyway. One record kept of each of 200 fetches of 1 MiB held 206 MiB, copies
 * of the same values nothing to speak of: what is kept for long, or a few of many, is to be copied (`Buffer.from(value)`).
 */
export class LeanRecord implements KafkaRecord {
  readonly offset: number;
  readonly byteLength: number;
  private readonly setting: LeanSetting;
  private readonly timestampDelta: number;
  private readonly keyStart: number;
  private readonly valueAt: number;
  private readonly valueLength: number;

  constructor(
    setting: LeanSetting,
    offset: number,
    timestampDelta: number,
    keyStart: number,
    keyLength: number,
    valueAt: number,
    valueLength: number,
  ) {
    this.setting = setting;
    this.offset = offset;
    this.timestampDelta = timestampDelta;
    this.keyStart = keyStart;
    this.valueAt = valueAt;
    this.valueLength = valueLength;
    this.byteLength = Math.max(keyLength, 0) + Math.max(valueLength, 0);
  }

  get topic(): string {
    return this.setting.of.topic;
  }

  get partition(): number {
    return this.setting.of.partition;
  }

  get stream(): string {
    return this.setting.of.stream;
  }

  get epoch(): number {
    return this.setting.of.epoch;
  }

  get timestamp(): number {
    const { appendedAt, firstTimestamp } = this.setting.batch;
    return appendedAt ?? firstTimestamp + this.timestampDelta;
  }

  get value(): Buffer | null {
    if (this.valueLength < 0) return null;
    return this.setting.batch.bytes.subarray(this.valueAt, this.valueAt + this.valueLength);
  }

  get key(): Buffer | null {
    const { bytes } = this.setting.batch;
    const cursor = new Cursor(bytes, this.keyStart);
    const length = cursor.varint();
    return length < 0 ? null : bytes.subarray(cursor.at, cursor.at + length);
  }

  get headers(): KafkaRecord['headers'] {
    const { bytes } = this.setting.batch;
    const cursor = new Cursor(bytes, this.valueAt + Math.max(0, this.valueLength));
    const headers: Record<string, Uint8Array | Uint8Array[]> = Object.create(null);
    for (let left = cursor.varint(); left > 0; left -= 1) {
      const name = take(bytes, cursor).toString();
      const value = take(bytes, cursor);
      const known = headers[name];
      if (known === undefined) headers[name] = value;
      else if (Array.isArray(known)) known.push(value);
      else headers[name] = [known, value];
    }
    return headers;
  }
}

function take(bytes: Buffer, cursor: Cursor): Buffer {
  const length = Math.max(0, cursor.varint());
  const start = cursor.at;
  cursor.at = start + length;
  return bytes.subarray(start, cursor.at);
}

/**
 * Adds a batch's records from `position` on. Answers the sum of their byte lengths.
 *
 * Fails: where the records do not use up the batch exactly, or one of them its own length, or their offsets do not rise.
 * Source: Kafka's DefaultRecord, which checks the same.
 */
export function walkRecords(batch: LeanBatch, of: RecordSetting, position: number, records: KafkaRecord[]): number {
  const setting: LeanSetting = { batch, of };
  const { bytes, count, firstOffset, lastOffset } = batch;
  const cursor = new Cursor(bytes);
  let byteLength = 0;
  let before = firstOffset - 1;
  for (let index = 0; index < count; index += 1) {
    const length = cursor.length(0);
    const end = cursor.at + length;
    cursor.at += 1;
    const timestampDelta = cursor.varint();
    const offset = firstOffset + cursor.varint();
    if (offset <= before || offset > lastOffset) throw corrupt(`the offset ${offset} comes after ${before}`);
    before = offset;
    const keyStart = cursor.at;
    const keyLength = cursor.length(-1);
    if (keyLength > 0) cursor.at += keyLength;
    const valueLength = cursor.length(-1);
    const valueAt = cursor.at;
    if (valueLength > 0) cursor.at += valueLength;
    if (bytes[cursor.at] === 0) cursor.at += 1;
    else passHeaders(cursor, end);
    if (cursor.at !== end) throw corrupt('a record is not as long as it says');
    if (offset < position) continue;
    const record = new LeanRecord(setting, offset, timestampDelta, keyStart, keyLength, valueAt, valueLength);
    byteLength += record.byteLength;
    records.push(record);
  }
  if (cursor.at !== bytes.length) throw corrupt('it is longer than its records');
  return byteLength;
}

function passHeaders(cursor: Cursor, end: number): void {
  for (let left = cursor.length(0); left > 0 && cursor.at < end; left -= 1) {
    const nameLength = cursor.length(0);
    cursor.at += nameLength;
    const valueLength = cursor.length(-1);
    cursor.at += Math.max(0, valueLength);
    if (left === 1) return;
  }
  throw corrupt('its headers go beyond a record');
}

/** The key of a batch's first record: what a control batch says. */
export function firstKey(batch: LeanBatch, of: RecordSetting): Buffer | null {
  const records: KafkaRecord[] = [];
  walkRecords(batch, of, -1, records);
  return records[0]?.key ?? null;
}
