import type { KafkaRecord, KafkaRecords } from '../../../ports/kafka-consumer.js';
import { type AnswerLease, leaseOf } from './answer-lease.js';
import { corrupt, type LeanBatch } from './fetched-messages.js';
import { LeanRecord, type LeanSetting } from './lean-record.js';
import type { RecordSetting } from './record.js';
import { Cursor } from './varint.js';

/** Numbers kept of each record: where its timestamp is, its offset − the batch's, byteLength, where its value is, how long. */
const ROW = 5;
/** A record without key, value and headers. */
const LEAST_RECORD_BYTES = 7;

/**
 * The records of one fetch as rows of numbers; each is made when it is asked for, best in order, so that those of a whole
 * fetch do not live at once. A batch is copied out of the answer it came in when its turn has come, so that no record holds
 * on to that: what was copied last is gone the soonest, and where it is read it is near.
 *
 * Bounds: 20 bytes a record, the answer until the last batch has had its turn, and the batches that have had theirs.
 */
export class LeanRecords implements KafkaRecords {
  length = 0;
  readonly #of: RecordSetting;
  readonly #rows: Int32Array;
  readonly #settings: LeanSetting[] = [];
  /** The first row of each batch. */
  readonly #starts: number[] = [];
  /** The answer that batches are read in, and how many of them. */
  readonly #lease: AnswerLease | undefined;
  #inAnswer = 0;
  /** The batch that was asked for last, and its rows. */
  #turn = 0;
  #from = 0;
  #to = 0;

  constructor(of: RecordSetting, batches: readonly LeanBatch[], lease?: AnswerLease) {
    this.#of = of;
    this.#lease = lease;
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

  /** No more is added. */
  complete(): void {
    if (this.#inAnswer > 0) this.#lease?.hold();
  }

  #added(batch: LeanBatch, length: number): void {
    if (this.#isInAnswer(batch)) this.#inAnswer += 1;
    this.#settings.push(settingOf(batch, this.#of));
    this.#starts.push(this.length);
    this.length = length;
  }

  #isInAnswer({ bytes }: LeanBatch): boolean {
    return this.#lease !== undefined && leaseOf(bytes) === this.#lease;
  }

  #copyOut(turn: number): void {
    const { batch } = this.#settings[turn] as LeanSetting;
    if (this.#inAnswer === 0 || !this.#isInAnswer(batch)) return;
    this.#settings[turn] = settingOf({ ...batch, bytes: Buffer.from(batch.bytes) }, this.#of);
    this.#inAnswer -= 1;
    if (this.#inAnswer === 0) this.#lease?.release();
  }

  #turnTo(index: number): void {
    const starts = this.#starts;
    let turn = index < this.#from ? 0 : this.#turn;
    while (turn + 1 < starts.length && (starts[turn + 1] as number) <= index) turn += 1;
    this.#turn = turn;
    this.#copyOut(turn);
    this.#from = starts[turn] as number;
    this.#to = starts[turn + 1] ?? this.length;
  }
}

function settingOf(batch: LeanBatch, of: RecordSetting): LeanSetting {
  const { bytes } = batch;
  return { batch, of, memory: bytes.buffer, memoryAt: bytes.byteOffset };
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
