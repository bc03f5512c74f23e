import { SourceError } from '../../core/errors.js';
import { listed } from '../../core/sentence.js';
import { drainTimeoutError } from '../../lifecycle/settling.js';
import type { TopicPartition } from '../../ports/kafka-consumer.js';
import { type Partition, streamOf } from './partition.js';

/**
 * Whose partitions are ours, in one epoch. A new assignment is a new object with new partitions; ending it, or one of them, makes
 * every later ack of it stale.
 */
export class Assignment {
  readonly epoch: number;
  #partitions: Partition[] = [];
  /** The index of each in the list. */
  #indexes: ReadonlyMap<string, number> = new Map();

  constructor(epoch: number, partitions: readonly Partition[]) {
    this.epoch = epoch;
    this.#set([...partitions]);
  }

  get partitions(): readonly Partition[] {
    return this.#partitions;
  }

  get(of: TopicPartition): Partition | undefined {
    return this.#partitions[this.#indexes.get(streamOf(of)) ?? -1];
  }

  add(partitions: readonly Partition[]): void {
    this.#set([...this.#partitions, ...partitions]);
  }

  /** Ends them, and goes on without them. */
  remove(partitions: readonly Partition[]): void {
    for (const partition of partitions) partition.end();
    this.#set(this.#partitions.filter((one) => !partitions.includes(one)));
  }

  /** Those of these that are ours. */
  of(partitions: readonly TopicPartition[]): readonly Partition[] {
    return partitions.flatMap((one) => this.get(one) ?? []);
  }

  #set(partitions: Partition[]): void {
    this.#partitions = partitions;
    this.#indexes = new Map(partitions.map(({ stream }, index) => [stream, index]));
  }

  /** Puts a fresh partition in the place of one that is read again from its watermark. */
  replace(fresh: Partition): void {
    const index = this.#indexes.get(fresh.stream);
    if (index !== undefined) this.#partitions[index] = fresh;
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

  end(): void {
    for (const partition of this.partitions) partition.end();
  }
}

/** Why a drain is no success whose partitions were taken away before all of it was done; undefined where all was. */
export function lostError(partitions: readonly Partition[]): SourceError | undefined {
  const undone = partitions.filter((partition) => !partition.isDone);
  if (undone.length === 0) return undefined;
  const streams = undone.map(({ stream }) => stream);
  return new SourceError(
    'RXF_SOURCE_DRAIN_LOST',
    `The group took ${listed(streams)} away before the drain was done. What was not committed of it is redelivered at the next ` +
      'start, or to its new owner. Drain one member after the other, or raise `revokeTimeoutMs` and `sessionTimeoutMs`.',
    { details: { streams } },
  );
}

/** A drain or a rebalance whose time is over before all that is out is settled. */
export function lateError(partitions: readonly Partition[], withinMs: number): SourceError {
  const out = partitions.filter((partition) => !partition.isSettled);
  const count = out.reduce((sum, partition) => sum + partition.watermark.unacked, 0);
  const what = `${count} records of ${out.map((partition) => partition.stream).join(', ')}`;
  return drainTimeoutError(what, withinMs, 'They are redelivered at the next start.');
}

/** Partitions as a message names them. */
export function namesOf(partitions: readonly TopicPartition[]): string {
  return listed(partitions.map(({ topic, partition }) => `${topic}/${partition}`));
}
