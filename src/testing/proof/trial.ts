import type { Monitor } from '../../core/monitor.js';
import type { Receipt } from '../../delivery/receipt.js';
import type { Source } from '../../delivery/source.js';
import type { DiskSystem } from '../../ports/disk-system.js';
import type { FileSystem } from '../../ports/file-system.js';
import type { KafkaDriver } from '../../ports/kafka-consumer.js';
import type { MemoryRecord } from '../memory/memory-log.js';
import type { Lines, ReadLines } from './comparison.js';
import type { LinesOfRecords } from './recorder.js';
import type { Roots } from './roots.js';

/** What a collector is built over: the stores as it alone reaches them, and a monitor of its own. */
export interface ProofParts {
  readonly kafka: KafkaDriver;
  readonly fs: FileSystem;
  readonly monitor: Monitor;
}

/** Builds one collector, at each start of one: a flow, or anything else that can be drained and gives receipts. */
export type BuildCollector = (parts: ProofParts) => Source<Receipt>;

/** Topic → partitions → records. */
export type ProofInput = Readonly<Record<string, readonly (readonly MemoryRecord[])[]>>;

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

/** What a trial is made of, the same for all schedules. */
export interface Trial {
  readonly build: BuildCollector;
  readonly input: ProofInput;
  readonly roots: Roots;
  readonly readLines: ReadLines;
  readonly disk: ((system: DiskSystem) => FileSystem) | undefined;
  readonly produceIntervalMs: number;
  readonly recordsPerFetch: number;
  readonly sessionTimeoutMs: number;
  readonly quietMs: number;
  readonly withinMs: number;
  readonly maxWaitMs: number;
  /** What is to be stored in the end; undefined while that is to be found out. */
  readonly expected: Lines | undefined;
  readonly linesOfRecords: LinesOfRecords | undefined;
}
