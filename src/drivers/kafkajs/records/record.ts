import { type HeaderList, toHeaderMap } from '../../../core/headers.js';
import type { KafkaRecord } from '../../../ports/kafka-consumer.js';

/** A record as kafkajs's own decoder gives it. */
export interface ForeignRecord {
  readonly offset: string;
  /** Absent of what was written before Kafka 0.10. */
  readonly timestamp?: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Absent of what was written before Kafka 0.11. */
  readonly headerList?: HeaderList;
  readonly isControlRecord?: boolean;
  readonly batchContext?: { readonly producerId: string; readonly inTransaction: boolean };
}

/** What all records of one partition have in common in one epoch: made once, so that a record is one small object. */
export interface RecordSetting {
  readonly topic: string;
  readonly partition: number;
  readonly stream: string;
  readonly epoch: number;
}

/** Kafka's own word for it. */
const NO_TIMESTAMP = -1;
const NO_HEADERS: HeaderList = [];

/** A view of one record of kafkajs. */
export class RecordView implements KafkaRecord {
  readonly offset: number;
  readonly byteLength: number;
  readonly #setting: RecordSetting;
  readonly #record: ForeignRecord;

  constructor(setting: RecordSetting, offset: number, record: ForeignRecord) {
    this.offset = offset;
    this.byteLength = (record.key?.length ?? 0) + (record.value?.length ?? 0);
    this.#setting = setting;
    this.#record = record;
  }

  get topic(): string {
    return this.#setting.topic;
  }

  get partition(): number {
    return this.#setting.partition;
  }

  get stream(): string {
    return this.#setting.stream;
  }

  get epoch(): number {
    return this.#setting.epoch;
  }

  get value(): Buffer | null {
    return this.#record.value;
  }

  get key(): Buffer | null {
    return this.#record.key;
  }

  get headers(): KafkaRecord['headers'] {
    return toHeaderMap(this.headerList);
  }

  get headerList(): HeaderList {
    return this.#record.headerList ?? NO_HEADERS;
  }

  get timestamp(): number {
    return Number(this.#record.timestamp ?? NO_TIMESTAMP);
  }
}
