import { toHeaderMap } from '../../../core/headers.js';
import type { KafkaRecord } from '../../../ports/kafka-consumer.js';
import type { LeanBatch } from './fetched-messages.js';
import { readHeaders } from './header-reading.js';
import type { RecordSetting } from './record.js';
import { Cursor } from './varint.js';

type MakeView = new (memory: ArrayBufferLike, offset: number, length: number) => Buffer;

/**
 * A Buffer over a part of memory: what `subarray` gives, at a third of its cost, since it neither asks for the memory nor
 * checks the bounds again. Throws `RangeError` beyond the memory.
 *
 * Source: `Buffer[Symbol.species]` is the class that all of Node's Buffers are of; `Buffer` itself is no constructor.
 */
const BufferView = (Buffer as unknown as { readonly [Symbol.species]: MakeView })[Symbol.species];

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
 * Bounds: a record, or a view of it, keeps alive the batch it came in, as its producer sent it, inflated if it was
 * compressed; where the answer was below 64 KiB or came over TLS, all of that answer, which is up to `maxPartitionBytes` for
 * each partition asked for and 16 MiB in all. What is kept for long, or a few of many, is to be copied
 * (`Buffer.from(value)`).
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
    if (appendedAt !== null) return appendedAt;
    const delta = new Cursor(bytes, this.timestampAt).varint();
    if (Number.isSafeInteger(firstTimestamp) && Number.isSafeInteger(delta)) return firstTimestamp + delta;
    return this.#exactTimestamp();
  }

  /** A producer's microseconds or nanoseconds beside the milliseconds of others: no number holds how far apart they are. */
  #exactTimestamp(): number {
    const { exactFirstTimestamp, bytes } = this.setting.batch;
    return Number(BigInt.asIntN(64, exactFirstTimestamp + new Cursor(bytes, this.timestampAt).varlong()));
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
    return toHeaderMap(this.headerList);
  }

  get headerList(): KafkaRecord['headerList'] {
    return readHeaders(this.setting.batch.bytes, this.valueAt + Math.max(0, this.valueLength));
  }
}
