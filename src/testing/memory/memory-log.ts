import { SourceError } from '../../core/errors.js';
import { toHeaderMap } from '../../core/headers.js';
import type { KafkaRecord } from '../../ports/kafka-consumer.js';
import type { KafkaOutgoing } from '../../ports/kafka-producer.js';

/** A record to put into a topic; a bare text or null is a value without key. */
export type MemoryRecord =
  | string
  | null
  | { readonly value: string | Uint8Array | null; readonly key?: string; readonly timestamp?: number };

/** The log of one partition in memory: records in order of offset, with gaps where there were some. */
export class MemoryLog {
  readonly topic: string;
  readonly partition: number;
  readonly #records: KafkaRecord[] = [];
  /** The transactions that are not decided, each with where it begins here. */
  readonly #open = new Map<object, number>();
  readonly #inTransaction = new WeakMap<KafkaRecord, object>();
  #first = 0;
  #next = 0;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  /** The first offset that can be read. */
  get first(): number {
    return this.#first;
  }

  /** The offset of the record to come. */
  get next(): number {
    return this.#next;
  }

  /** The offset before which every transaction is decided: as far as is read. */
  get stable(): number {
    return Math.min(this.#next, ...this.#open.values());
  }

  /** Everything that is decided, in order. */
  get decided(): readonly KafkaRecord[] {
    return this.#records.filter(({ offset }) => offset < this.stable);
  }

  /** Appends what a producer sends, in a transaction or in none. */
  write(outgoing: KafkaOutgoing, transaction: object | null): void {
    const record = this.#made(outgoing.value, outgoing.key, outgoing.timestamp ?? 0, outgoing.headers);
    if (transaction !== null) {
      if (!this.#open.has(transaction)) this.#open.set(transaction, this.#next);
      this.#inTransaction.set(record, transaction);
    }
    this.#records.push(record);
    this.#next += 1;
  }

  /** Ends a transaction by a marker, which takes an offset; what was aborted is never read. */
  end(transaction: object, outcome: 'commit' | 'abort'): void {
    if (!this.#open.delete(transaction)) return;
    this.#next += 1;
    if (outcome === 'commit') return;
    const kept = this.#records.filter((record) => this.#inTransaction.get(record) !== transaction);
    this.#records.splice(0, this.#records.length, ...kept);
  }

  /** Leaves a gap of `skip` offsets, then appends; in a transaction where it has an outcome. */
  append(records: readonly MemoryRecord[], skip: number, outcome?: 'commit' | 'abort'): void {
    this.#next += skip;
    for (const record of records) {
      if (outcome !== 'abort') this.#records.push(this.#recordOf(record));
      this.#next += 1;
    }
    if (outcome !== undefined) this.#next += 1;
  }

  /** Forgets what lies below the offset, as retention does. */
  trim(first: number): void {
    this.#first = Math.min(Math.max(this.#first, first), this.#next);
    this.#records.splice(0, this.#indexOf(this.#first));
  }

  /**
   * At most so many records from the offset on, and where to read on: beyond the markers and gaps behind them. Throws
   * `RXF_KAFKA_DATA_LOST` where the log does not reach to the offset.
   */
  from(offset: number, most: number): { records: KafkaRecord[]; next: number } {
    if (offset < this.#first || offset > this.#next) throw this.#lostError(offset);
    const at = this.#indexOf(offset);
    const end = this.#indexOf(this.stable);
    const records = this.#records.slice(at, Math.min(at + most, end));
    const last = records.at(-1);
    const next = last === undefined || at + most >= end ? this.stable : last.offset + 1;
    return { records, next: Math.max(offset, next) };
  }

  /** How many records lie below the offset. */
  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#records[middle] as KafkaRecord).offset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #recordOf(record: MemoryRecord): KafkaRecord {
    const { value, key, timestamp } =
      record === null || typeof record === 'string'
        ? { value: record, key: undefined, timestamp: undefined }
        : { key: undefined, timestamp: undefined, ...record };
    const body = value === null ? null : Buffer.from(value);
    return this.#made(body, key === undefined ? null : Buffer.from(key), timestamp ?? 0, []);
  }

  #made(
    value: Uint8Array | null,
    key: Uint8Array | null,
    timestamp: number,
    headerList: KafkaRecord['headerList'],
  ): KafkaRecord {
    return {
      topic: this.topic,
      partition: this.partition,
      offset: this.#next,
      epoch: 0,
      stream: `kafka:${this.topic}/${this.partition}`,
      value: value === null ? null : Buffer.from(value),
      key: key === null ? null : Buffer.from(key),
      headers: toHeaderMap(headerList),
      headerList,
      timestamp,
      byteLength: (value?.length ?? 0) + (key?.length ?? 0),
    };
  }

  #lostError(offset: number): SourceError {
    const { topic, partition } = this;
    const why = offset < this.#first ? 'Records were deleted before they were read.' : 'The log is shorter than that.';
    return new SourceError(
      'RXF_KAFKA_DATA_LOST',
      `kafka:${topic}/${partition} was to be read from offset ${offset}, but Kafka holds ${this.#first} up to ` +
        `${this.#next}. ${why} Nothing was skipped or committed.`,
      { details: { topic, partition, expected: offset, available: { first: this.#first, next: this.#next } } },
    );
  }
}
