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

/**
 * What a real driver would hand out with these facts: an object without properties of its own, whose getters answer only to
 * it, as those over private fields do. A copy of it has none of the facts.
 */
export function lazy<T extends object>(facts: T): T {
  const getters: PropertyDescriptorMap = {};
  for (const name of Object.keys(facts)) {
    getters[name] = {
      get(): unknown {
        if (this !== made) throw new TypeError(`\`${name}\` was asked of an object that a driver did not make`);
        return facts[name as keyof T];
      },
    };
  }
  const made: T = Object.create(Object.create(Object.prototype, getters));
  return made;
}
