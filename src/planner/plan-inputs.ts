import { expectKnown, expectOption, expectText } from '../core/options.js';
import { type Estimate, expectEstimate } from './estimate.js';
import type { ScalingPoint } from './usl.js';

/** The CPU that a part of a flow takes for each record that the source delivers. */
export interface CpuPart {
  /** The source, an operator or the sink, as a flow names it. */
  readonly name: string;
  readonly secondsPerRecord: Estimate;
}

/** What a plan is made from: each is measured, known or absent. What is missing makes what needs it `notMeasured`. */
export interface PlanInputs {
  readonly ratePerSecond?: Estimate;
  /** Of a record as the source counts it. */
  readonly recordBytes?: Estimate;
  /** In order, from the source to the sink. A part that was not measured makes the sum not measured. */
  readonly cpu?: readonly CpuPart[];
  /** Until the storage has taken a chunk. */
  readonly writeSeconds?: Estimate;
  /** From the last write of a file until it is at its final path. */
  readonly commitSeconds?: Estimate;
  /** What a record takes in a file. */
  readonly storedBytes?: Estimate;
  /** Calls of the file system for each file, writes aside: create, close, rename and the like. */
  readonly callsPerFile?: Estimate;
  /** The streams of the source together, such as partitions. */
  readonly streams?: Estimate;
  /** The buckets in which each stream has a file open at a time. */
  readonly bucketsPerStream?: Estimate;
  readonly rollSeconds?: Estimate;
  readonly rollBytes?: Estimate;
  readonly chunkBytes?: Estimate;
  readonly chunkSeconds?: Estimate;
  readonly maxOpenFiles?: Estimate;
  /** What a process takes without records: Node and your code. */
  readonly baseBytes?: Estimate;
  /** The window of the source as it is set. */
  readonly windowBytes?: Estimate;
  readonly maxUnacked?: Estimate;
  /** The most one fetch brings of one partition. */
  readonly maxPartitionBytes?: Estimate;
  /** What is not read yet. */
  readonly backlogRecords?: Estimate;
  /** Until retention deletes the oldest unread record. */
  readonly headroomSeconds?: Estimate;
  /** What several processes were measured to do together. */
  readonly points?: readonly ScalingPoint[];
  /** The share of a core that a process is to use at most. Default 0.7. */
  readonly maxLoad?: number;
}

/** The defaults of `plan`. */
export const PLAN_DEFAULTS = { maxLoad: 0.7 } as const satisfies PlanInputs;

/** Each estimate of the inputs, why it is missing where it is, and the least it may be. */
const ESTIMATES = {
  ratePerSecond: ['the rate is not given (--rate)', 0],
  recordBytes: ['the size of a record is not given (--bytes, or --sample)', 0],
  writeSeconds: ['no write was measured (--measure-writes)', 0],
  commitSeconds: ['no roll of a file was measured (--measure-writes)', 0],
  storedBytes: ['no sample was written through the file sink (--sample)', 0],
  callsPerFile: ['no call of the file system was counted (--measure-writes)', 0],
  streams: ['the number of streams is not given (--partitions)', 1],
  bucketsPerStream: ['the number of buckets was not counted (--sample)', 1],
  rollSeconds: ['the flow does not end in a file sink', 0.001],
  rollBytes: ['the flow does not end in a file sink', 1],
  chunkBytes: ['the flow does not end in a file sink', 1],
  chunkSeconds: ['the flow does not end in a file sink', 0],
  maxOpenFiles: ['the flow does not end in a file sink', 1],
  baseBytes: ['the memory of an idle process is not given', 0],
  windowBytes: ['the source does not say its window', 0],
  maxUnacked: ['the source does not say its bound on unacked records', 0],
  maxPartitionBytes: ['the source does not say the size of its fetches', 0],
  backlogRecords: ['the backlog is not given (--backlog)', 0],
  headroomSeconds: ['the retention headroom is not given (--headroom)', 0],
} as const satisfies Partial<Record<keyof PlanInputs, readonly [string, number]>>;

export type CheckedInputs = ReturnType<typeof checkInputs>;

/** Fills in what is missing, with the reason, and checks all of it. Throws `OptionError`. */
export function checkInputs(given: PlanInputs) {
  expectKnown('plan inputs', given, [...Object.keys(ESTIMATES), 'cpu', 'points', 'maxLoad']);
  const { cpu = [], points = [], maxLoad = PLAN_DEFAULTS.maxLoad } = given;
  const isShare = typeof maxLoad === 'number' && maxLoad > 0 && maxLoad <= 1;
  expectOption('maxLoad', maxLoad, isShare, 'a number above 0, at most 1');
  expectOption('cpu', cpu, Array.isArray(cpu), 'a list of { name, secondsPerRecord }');
  for (const [at, { name, secondsPerRecord }] of cpu.entries()) {
    expectText(`cpu[${at}].name`, name);
    expectEstimate(`cpu[${at}].secondsPerRecord`, secondsPerRecord, Number.NEGATIVE_INFINITY);
  }
  const estimates = {} as Record<keyof typeof ESTIMATES, Estimate>;
  for (const [name, [why, least]] of Object.entries(ESTIMATES)) {
    const key = name as keyof typeof ESTIMATES;
    estimates[key] = given[key] ?? { notMeasured: why };
    expectEstimate(name, estimates[key], least);
  }
  return { ...estimates, cpu, points, maxLoad };
}
