import type { RxflumeError } from '../../../core/errors.js';
import type { TopicPartition } from '../../../ports/kafka-consumer.js';
import { partitionOfKey } from '../../../ports/kafka-key.js';
import type { KafkaOutgoing } from '../../../ports/kafka-producer.js';
import type { Call } from './call.js';
import { noSuchPartition, noSuchTime, recordTooLarge } from './producer-answers.js';
import { mostRecordBytes } from './record-writer.js';
import type { Sequences } from './sequences.js';

/** A batch under way, which must be the same when it is sent again. */
export interface PartitionBatchHead {
  readonly of: Sequences;
  readonly records: number;
  readonly bytes: Buffer;
}

/** Records of one call that go to one partition, in order: those from `at` on are not written yet. */
export class PartitionBatch implements TopicPartition {
  readonly call: Call;
  readonly topic: string;
  readonly partition: number;
  readonly name: string;
  /** Their indexes in the call. */
  readonly recordIndexes: number[] = [];
  readonly #sizes: number[] = [];
  #at = 0;
  /** The most records of the next batch: less after the broker has rejected one that it does not name. */
  #most = Number.POSITIVE_INFINITY;
  batch: PartitionBatchHead | undefined;
  /** The batch was sent, and no answer says what became of it. */
  isInDoubt = false;

  constructor(call: Call, topic: string, partition: number) {
    this.call = call;
    this.topic = topic;
    this.partition = partition;
    this.name = `${topic}/${partition}`;
  }

  get isDone(): boolean {
    return this.#at === this.recordIndexes.length;
  }

  add(recordIndex: number, bytes: number): void {
    this.recordIndexes.push(recordIndex);
    this.#sizes.push(bytes);
  }

  /** The indexes, in the call, of what is not written yet. */
  get left(): readonly number[] {
    return this.#at === 0 ? this.recordIndexes : this.recordIndexes.slice(this.#at);
  }

  /** The indexes, in the call, of the next batch: what fits into it, at least one. */
  fitting(maxBytes: number): readonly number[] {
    const last = Math.min(this.recordIndexes.length, this.#at + this.#most);
    let bytes = this.#sizes[this.#at] as number;
    let next = this.#at + 1;
    while (next < last && bytes + (this.#sizes[next] as number) <= maxBytes) {
      bytes += this.#sizes[next] as number;
      next += 1;
    }
    return this.#between(this.#at, next);
  }

  /** The batch is written; returns the indexes, in the call, of its records. */
  written(): readonly number[] {
    const first = this.#at;
    this.#at += this.#dropBatch();
    // One that the broker did not name was in here; the rest may be whole.
    this.#most *= 2;
    return this.#between(first, this.#at);
  }

  /** Takes records out of the batch, by their indexes in it; returns their indexes in the call. */
  takeOut(indexes: ReadonlySet<number>): readonly number[] {
    const first = this.#at;
    this.#dropBatch();
    const out: number[] = [];
    let kept = first;
    for (let index = first; index < this.recordIndexes.length; index += 1) {
      const recordIndex = this.recordIndexes[index] as number;
      if (indexes.has(index - first)) {
        out.push(recordIndex);
        continue;
      }
      this.recordIndexes[kept] = recordIndex;
      this.#sizes[kept] = this.#sizes[index] as number;
      kept += 1;
    }
    this.recordIndexes.length = kept;
    this.#sizes.length = kept;
    return out;
  }

  /** The next batch is half as large. */
  halve(): void {
    this.#most = Math.ceil(this.#dropBatch() / 2);
  }

  /** The same records are to be sent as another batch. */
  renew(): void {
    this.#dropBatch();
  }

  #dropBatch(): number {
    const records = this.batch?.records ?? 0;
    this.batch = undefined;
    this.isInDoubt = false;
    return records;
  }

  #between(first: number, next: number): readonly number[] {
    return first === 0 && next === this.recordIndexes.length
      ? this.recordIndexes
      : this.recordIndexes.slice(first, next);
  }
}

/** How many partitions a topic has, or why nothing can be written to it; undefined where that is not known yet. */
export type Partitions = number | RxflumeError | undefined;

/**
 * Shares the records of a call out to partitions: where it is named, else by the key, else all to the partition whose
 * turn it is. What cannot go anywhere, or is too large, is rejected by its index; records of topics that are not known
 * yet are left out.
 */
export function partitionBatchesOf(
  call: Call,
  partitionsOf: (topic: string) => Partitions,
  maxRecordBytes: number,
): { readonly partitionBatches: readonly PartitionBatch[]; readonly rejected: Map<number, RxflumeError> } {
  const { records, turn } = call;
  const partitionBatches = new Map<string, Map<number, PartitionBatch>>();
  const rejected = new Map<number, RxflumeError>();
  for (let recordIndex = 0; recordIndex < records.length; recordIndex += 1) {
    const record = records[recordIndex] as KafkaOutgoing;
    const { topic, key, timestamp } = record;
    const partitions = partitionsOf(topic);
    if (partitions === undefined) continue;
    if (typeof partitions !== 'number') {
      rejected.set(recordIndex, partitions);
      continue;
    }
    const bytes = mostRecordBytes(record);
    if (bytes > maxRecordBytes) {
      rejected.set(recordIndex, recordTooLarge(topic, bytes, maxRecordBytes));
      continue;
    }
    if (timestamp !== null && !(Number.isSafeInteger(timestamp) && timestamp >= 0)) {
      rejected.set(recordIndex, noSuchTime(topic, timestamp));
      continue;
    }
    const partition = record.partition ?? (key === null ? turn % partitions : partitionOfKey(key, partitions));
    if (!(Number.isInteger(partition) && partition >= 0 && partition < partitions)) {
      rejected.set(recordIndex, noSuchPartition(topic, partition, partitions));
      continue;
    }
    let ofTopic = partitionBatches.get(topic);
    if (ofTopic === undefined) {
      ofTopic = new Map();
      partitionBatches.set(topic, ofTopic);
    }
    let partitionBatch = ofTopic.get(partition);
    if (partitionBatch === undefined) {
      partitionBatch = new PartitionBatch(call, topic, partition);
      ofTopic.set(partition, partitionBatch);
    }
    partitionBatch.add(recordIndex, bytes);
  }
  return { partitionBatches: [...partitionBatches.values()].flatMap((ofTopic) => [...ofTopic.values()]), rejected };
}
