import type { CommittedOffset, TopicPartition } from '../../ports/kafka-consumer.js';
import { type Partition, streamOf } from './partition.js';

/**
 * Whose partitions are ours, in one epoch. A new assignment is a new object with new partitions; ending it makes every
 * later ack of it void.
 */
export class Assignment {
  readonly epoch: number;
  readonly #partitions: Partition[];
  /** Where each stands in the list. */
  readonly #places: ReadonlyMap<string, number>;

  constructor(epoch: number, partitions: readonly Partition[]) {
    this.epoch = epoch;
    this.#partitions = [...partitions];
    this.#places = new Map(partitions.map(({ stream }, place) => [stream, place]));
  }

  get partitions(): readonly Partition[] {
    return this.#partitions;
  }

  get(of: TopicPartition): Partition | undefined {
    return this.#partitions[this.#places.get(streamOf(of)) ?? -1];
  }

  /** Puts a fresh partition in the place of one that is read again from its watermark. */
  replace(fresh: Partition): void {
    const place = this.#places.get(fresh.stream);
    if (place !== undefined) this.#partitions[place] = fresh;
  }

  get isSettled(): boolean {
    for (const partition of this.partitions) if (!partition.isSettled) return false;
    return true;
  }

  /** True while a sink waits for what lies before its commit in one of them. */
  get isAwaited(): boolean {
    for (const partition of this.partitions) if (partition.resumeTracker?.isAwaited) return true;
    return false;
  }

  /** The most that would be redelivered after a crash. What waits to be read again is redelivered anyway, and is not held here. */
  get unacked(): number {
    let sum = 0;
    for (const partition of this.partitions) if (!partition.isOver) sum += partition.watermark.span;
    return sum;
  }

  /** What the broker has not been told yet. */
  uncommitted(): (CommittedOffset & { readonly of: Partition })[] {
    const offsets = [];
    for (const of of this.partitions) {
      const { offset, emptyFrom } = of.watermark;
      if (offset <= of.committed) continue;
      const position = { topic: of.topic, partition: of.partition, offset, of };
      offsets.push(emptyFrom < offset ? { ...position, emptyFrom } : position);
    }
    return offsets;
  }

  end(): void {
    for (const partition of this.partitions) partition.end();
  }
}
