import type { RxflumeError } from '../../core/errors.js';
import { partitionOfKey } from '../../core/kafka-key.js';
import type { TopicPartition } from '../../ports/kafka-consumer.js';
import type { KafkaOutgoing } from '../../ports/kafka-producer.js';

import { noSuchPartition, recordTooLarge } from './producer-answers.js';
import { mostRecordBytes } from './record-writer.js';
import type { Sequences } from './sequences.js';

/** Records of one call that go to one partition, in order: those from `at` on are not written yet. */
export class Lot implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly name: string;
  /** Their places in the call. */
  readonly places: number[] = [];
  readonly sizes: number[] = [];
  at = 0;
  /** The most records of the next batch: less after the broker has found one too large. */
  most = Number.POSITIVE_INFINITY;
  /** The batch under way, which must be the same when it is sent again in the same name. */
  batch: { readonly of: Sequences; readonly records: number; readonly bytes: Buffer } | undefined;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
    this.name = `${topic}/${partition}`;
  }

  get isDone(): boolean {
    return this.at === this.places.length;
  }

  /** How many records from `at` on fit into a batch; at least one. */
  fitting(maxBytes: number): number {
    const last = Math.min(this.places.length, this.at + this.most);
    let bytes = this.sizes[this.at] as number;
    let next = this.at + 1;
    while (next < last && bytes + (this.sizes[next] as number) <= maxBytes) {
      bytes += this.sizes[next] as number;
      next += 1;
    }
    return next - this.at;
  }
}

/** How many partitions a topic has, or why nothing can be written to it. */
export type Partitions = number | RxflumeError;

/**
 * Shares the records of a call out to partitions: where it is named, else by the key, else all to the partition whose
 * turn it is. What cannot go anywhere, or is too large, is refused by its place.
 */
export function lotsOf(
  records: readonly KafkaOutgoing[],
  partitionsOf: (topic: string) => Partitions,
  turn: number,
  maxRecordBytes: number,
): { readonly lots: readonly Lot[]; readonly refused: Map<number, RxflumeError> } {
  const lots = new Map<string, Map<number, Lot>>();
  const refused = new Map<number, RxflumeError>();
  for (let place = 0; place < records.length; place += 1) {
    const record = records[place] as KafkaOutgoing;
    const { topic, key } = record;
    const partitions = partitionsOf(topic);
    if (typeof partitions !== 'number') {
      refused.set(place, partitions);
      continue;
    }
    const bytes = mostRecordBytes(record);
    if (bytes > maxRecordBytes) {
      refused.set(place, recordTooLarge(topic, bytes, maxRecordBytes));
      continue;
    }
    const partition = record.partition ?? (key === null ? turn % partitions : partitionOfKey(key, partitions));
    if (partition >= partitions || partition < 0) {
      refused.set(place, noSuchPartition(topic, partition, partitions));
      continue;
    }
    let ofTopic = lots.get(topic);
    if (ofTopic === undefined) {
      ofTopic = new Map();
      lots.set(topic, ofTopic);
    }
    let lot = ofTopic.get(partition);
    if (lot === undefined) {
      lot = new Lot(topic, partition);
      ofTopic.set(partition, lot);
    }
    lot.places.push(place);
    lot.sizes.push(bytes);
  }
  return { lots: [...lots.values()].flatMap((ofTopic) => [...ofTopic.values()]), refused };
}
