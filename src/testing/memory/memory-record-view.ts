import type { KafkaRecord } from '../../ports/kafka-consumer.js';

/** A record as it is handed out in an epoch: a view of what the log holds, which copies nothing, as real drivers give. */
export class MemoryRecordView implements KafkaRecord {
  readonly epoch: number;
  readonly #record: KafkaRecord;

  constructor(record: KafkaRecord, epoch: number) {
    this.#record = record;
    this.epoch = epoch;
  }

  get offset(): number {
    return this.#record.offset;
  }

  get byteLength(): number {
    return this.#record.byteLength;
  }

  get topic(): string {
    return this.#record.topic;
  }

  get partition(): number {
    return this.#record.partition;
  }

  get stream(): string {
    return this.#record.stream;
  }

  get value(): Buffer | null {
    return this.#record.value;
  }

  get key(): Buffer | null {
    return this.#record.key;
  }

  get headers(): KafkaRecord['headers'] {
    return this.#record.headers;
  }

  get headerList(): KafkaRecord['headerList'] {
    return this.#record.headerList;
  }

  get timestamp(): number {
    return this.#record.timestamp;
  }
}
