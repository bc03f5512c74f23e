import type { KafkaRecord, KafkaRecords } from '../../ports/kafka-consumer.js';
import { corrupt } from './corrupt.js';
import type { LeanBatch } from './lean-batch.js';
import type { RecordSetting } from './record.js';
import { Cursor } from './varint.js';
import { BufferView } from './view.js';

/** A batch with whose it is: what all its records share. */
export interface LeanSetting {
  readonly batch: LeanBatch;
  readonly of: RecordSetting;
  /** Of `batch.bytes`, looked up once. */
  readonly memory: ArrayBufferLike;
  readonly memoryAt: number;
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
  private readonly timestampAt: number;
  private readonly valueAt: number;
  private readonly valueLength: number;

  constructor(
    setting: LeanSetting,
    offset: number,
    byteLength: number,
    timestampAt: number,
    valueAt: number,
    valueLength: number,
  ) {
    this.setting = setting;
    this.offset = offset;
    this.byteLength = byteLength;
    this.timestampAt = timestampAt;
    this.valueAt = valueAt;
    this.valueLength = valueLength;
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
    const { appendedAt, firstTimestamp, bytes } = this.setting.batch;
    return appendedAt ?? firstTimestamp + new Cursor(bytes, this.timestampAt).varint();
  }

  get value(): Buffer | null {
    if (this.valueLength < 0) return null;
    const { memory, memoryAt } = this.setting;
    return new BufferView(memory, memoryAt + this.valueAt, this.valueLength);
  }

  get key(): Buffer | null {
    const { bytes } = this.setting.batch;
    const cursor = new Cursor(bytes, this.timestampAt);
    // Behind the timestamp and the offset.
    cursor.varint();
    cursor.varint();
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

/** Numbers kept of each record: where its timestamp is, its offset − the batch's, byteLength, where its value is, how long. */
const ROW = 5;
/** A record without key, value and headers. */
const LEAST_RECORD_BYTES = 7;

/**
 * The records of one fetch as rows of numbers; each is made when it is asked for, best in order, so that those of a whole
 * fetch do not live at once.
 *
 * Bounds: 20 bytes a record.
 */
export class LeanRecords implements KafkaRecords {
  length = 0;
  readonly #of: RecordSetting;
  #rows = new Int32Array(0);
  readonly #settings: LeanSetting[] = [];
  /** The first row of each batch. */
  readonly #starts: number[] = [];
  /** The batch that was asked for last, and its rows. */
  #turn = 0;
  #from = 0;
  #to = 0;

  constructor(of: RecordSetting, batches: readonly LeanBatch[]) {
    this.#of = of;
    let most = 0;
    // What a batch says of itself is not believed.
    for (const { count, bytes } of batches) most += Math.min(count, bytes.length / LEAST_RECORD_BYTES);
    this.#rows = new Int32Array(Math.floor(most) * ROW);
  }

  at(index: number): KafkaRecord | undefined {
    if (index < this.#from || index >= this.#to) {
      if (index < 0 || index >= this.length) return undefined;
      this.#turnTo(index);
    }
    const rows = this.#rows;
    const row = index * ROW;
    const setting = this.#settings[this.#turn] as LeanSetting;
    return new LeanRecord(
      setting,
      setting.batch.firstOffset + (rows[row + 1] as number),
      rows[row + 2] as number,
      rows[row] as number,
      rows[row + 3] as number,
      rows[row + 4] as number,
    );
  }

  *[Symbol.iterator](): IterableIterator<KafkaRecord> {
    for (let index = 0; index < this.length; index += 1) yield this.at(index) as KafkaRecord;
  }

  /**
   * Adds a batch's records from `position` on. Answers the sum of their byte lengths. Where it fails nothing was added.
   *
   * Fails: where the records do not use up the batch exactly, or one of them its own length, or their offsets do not rise.
   * Source: Kafka's DefaultRecord, which checks the same.
   */
  add(batch: LeanBatch, position: number): number {
    const { bytes, count, firstOffset, lastOffset } = batch;
    const rows = this.#rows;
    const cursor = new Cursor(bytes);
    let byteLength = 0;
    let before = firstOffset - 1;
    let row = this.length * ROW;
    for (let index = 0; index < count; index += 1) {
      const length = cursor.length(0);
      const end = cursor.at + length;
      cursor.at += 1;
      const timestampAt = cursor.at;
      cursor.varint();
      const offset = firstOffset + cursor.varint();
      if (offset <= before || offset > lastOffset) throw corrupt(`the offset ${offset} comes after ${before}`);
      before = offset;
      const keyLength = cursor.length(-1);
      if (keyLength > 0) cursor.at += keyLength;
      const valueLength = cursor.length(-1);
      const valueAt = cursor.at;
      if (valueLength > 0) cursor.at += valueLength;
      if (bytes[cursor.at] === 0) cursor.at += 1;
      else passHeaders(cursor, end);
      if (cursor.at !== end) throw corrupt('a record is not as long as it says');
      if (offset < position) continue;
      const recordBytes = Math.max(keyLength, 0) + Math.max(valueLength, 0);
      rows[row] = timestampAt;
      rows[row + 1] = offset - firstOffset;
      rows[row + 2] = recordBytes;
      rows[row + 3] = valueAt;
      rows[row + 4] = valueLength;
      row += ROW;
      byteLength += recordBytes;
    }
    if (cursor.at !== bytes.length) throw corrupt('it is longer than its records');
    if (row > this.length * ROW) this.#added(batch, row / ROW);
    return byteLength;
  }

  #added(batch: LeanBatch, length: number): void {
    const { bytes } = batch;
    this.#settings.push({ batch, of: this.#of, memory: bytes.buffer, memoryAt: bytes.byteOffset });
    this.#starts.push(this.length);
    this.length = length;
  }

  #turnTo(index: number): void {
    const starts = this.#starts;
    let turn = index < this.#from ? 0 : this.#turn;
    while (turn + 1 < starts.length && (starts[turn + 1] as number) <= index) turn += 1;
    this.#turn = turn;
    this.#from = starts[turn] as number;
    this.#to = starts[turn + 1] ?? this.length;
  }
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
  const records = new LeanRecords(of, [batch]);
  records.add(batch, -1);
  return records.at(0)?.key ?? null;
}
