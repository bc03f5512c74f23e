import type { MemoryRecord } from '../memory/memory-log.js';
import type { ProofInput } from './trial.js';

/** A record to be produced; `skip` leaves a gap of so many offsets before it. */
export interface Fed {
  readonly topic: string;
  readonly partition: number;
  readonly record: MemoryRecord;
  readonly skip: number;
}

/** All records of the input, a partition after the other in turn. */
export function feedOf(input: ProofInput): Fed[] {
  const partitions = Object.entries(input).flatMap(([topic, logs]) =>
    logs.map((records, partition) => records.map((record) => ({ topic, partition, record, skip: 0 }))),
  );
  const most = Math.max(0, ...partitions.map((records) => records.length));
  return Array.from({ length: most }, (_, at) => partitions.flatMap((records) => records[at] ?? [])).flat();
}
