import type { KafkaRecord } from '../../ports/kafka-consumer.js';
import type { LeanBatch } from './lean-batch.js';
import type { RecordSetting } from './record.js';

/** A batch with whose it is: what all its records share. */
export interface LeanSetting {
  readonly batch: LeanBatch;
  readonly of: RecordSetting;
}

/** Reads what Kafka writes as varints (zigzag), one after the other. */
class Cursor {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  varint(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw corrupt();
    return byte < 0x80 ? (byte >>> 1) ^ -(byte & 1) : this.#long(byte & 0x7f);
  }

  #long(low: number): number {
    let value = low;
    let factor = 128;
    for (let index = 1; index < 10; index += 1) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) throw corrupt();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      factor *= 128;
    }
    throw corrupt();
  }
}

/** One record as positions in the fetched bytes: key, headers and value are made when asked for. */
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
  if (start + length > bytes.length) throw corrupt();
  cursor.at = start + length;
  return bytes.subarray(start, cursor.at);
}

/** Adds a batch's records from `position` on. Answers the sum of their byte lengths. */
export function walkRecords(batch: LeanBatch, of: RecordSetting, position: number, records: KafkaRecord[]): number {
  const setting: LeanSetting = { batch, of };
  const { bytes, count, firstOffset } = batch;
  const cursor = new Cursor(bytes);
  let byteLength = 0;
  for (let index = 0; index < count; index += 1) {
    const length = cursor.varint();
    const end = cursor.at + length;
    if (length < 0 || end > bytes.length) throw corrupt();
    cursor.at += 1;
    const timestampDelta = cursor.varint();
    const offset = firstOffset + cursor.varint();
    const keyStart = cursor.at;
    const keyLength = cursor.varint();
    if (keyLength > 0) cursor.at += keyLength;
    const valueLength = cursor.varint();
    const valueAt = cursor.at;
    if (valueAt + Math.max(valueLength, 0) > end) throw corrupt();
    cursor.at = end;
    if (offset < position) continue;
    const record = new LeanRecord(setting, offset, timestampDelta, keyStart, keyLength, valueAt, valueLength);
    byteLength += record.byteLength;
    records.push(record);
  }
  return byteLength;
}

/** The key of a batch's first record: what a control batch says. */
export function firstKey(batch: LeanBatch, of: RecordSetting): Buffer | null {
  const records: KafkaRecord[] = [];
  walkRecords(batch, of, -1, records);
  return records[0]?.key ?? null;
}

function corrupt(): Error {
  return new Error('a record is corrupt');
}
