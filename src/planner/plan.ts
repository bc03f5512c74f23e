import { combined, type Estimate, type Interval, isNotMeasured } from './estimate.js';
import { littleConcurrency } from './little.js';
import { type CheckedInputs, checkInputs, type PlanInputs } from './plan-inputs.js';
import { type Scaling, usl } from './usl.js';

/** What a flow needs, each with its interval, or why it could not be computed. */
export interface PlanEstimates {
  /** Source, operators and sink together. */
  readonly cpuSecondsPerRecord: Estimate;
  /** What one process can do with a core of its own, at full load. */
  readonly recordsPerSecondOfAProcess: Estimate;
  /** Processes at the load that they are to have. */
  readonly processes: Estimate;
  /** What so many processes do together: between one alone and all of them without anything shared, or as the law fitted to `points` says. */
  readonly recordsPerSecondOfAll: Estimate;
  /** Writes of chunks that are under way at a time, by Little's law. */
  readonly writesInFlight: Estimate;
  /** Records that are emitted and not released: the least `window.count`. */
  readonly windowCount: Estimate;
  /** The same in bytes: the least `window.bytes`. */
  readonly windowBytes: Estimate;
  /** How long a file is open. */
  readonly rollSeconds: Estimate;
  /** Records that are emitted and not acked: the least `maxUnacked`. */
  readonly maxUnacked: Estimate;
  readonly fileBytes: Estimate;
  readonly filesPerDay: Estimate;
  readonly nameNodeCallsPerSecond: Estimate;
  /** The most memory that the limits as they are set allow one process. */
  readonly memoryBytes: Estimate;
  /** Until the backlog is read, at full load; infinite where the processes only just keep up. */
  readonly catchUpSeconds: Estimate;
}

export interface Plan {
  readonly estimates: PlanEstimates;
  /** The law of the points, where there are any. */
  readonly scaling: Scaling | null;
  /** What does not fit together, a sentence each, with what to do. */
  readonly warnings: readonly string[];
}

const SECONDS_A_DAY = 86_400;
/** Kafka responses that wait for the partitions, and the most that one brings. */
const RESPONSES = 4;
const MAX_RESPONSE_BYTES = 16 * 1_048_576;
/** A chunk is an array that has grown. */
const GROWN = 1.25;
/** Two bits for each unacked record, in arrays that may be twice as long. */
const BYTES_AN_UNACKED = 0.5;

/**
 * The capacity that a flow needs, from what was measured of it. It computes, and does nothing else: measure by `rxflume plan`,
 * or yourself.
 *
 * ```ts
 * import { exactly, plan } from 'rxflume/planner';
 *
 * const { estimates } = plan({
 *   ratePerSecond: exactly(50_000),
 *   cpu: [{ name: 'all', secondsPerRecord: { value: 2e-5, low: 1.9e-5, high: 2.1e-5 } }],
 * });
 * estimates.processes; // → { value: 2, low: 2, high: 2 }
 * ```
 *
 * Fails: `OptionError` for an input that is unknown, negative, not finite or out of order.
 */
export function plan(inputs: PlanInputs): Plan {
  const checked = checkInputs(inputs);
  const { ratePerSecond: rate, streams, bucketsPerStream: buckets, recordBytes, storedBytes } = checked;
  const scaling = checked.points.length === 0 ? null : usl.fit(checked.points);
  const cpuSecondsPerRecord = cpuOf(checked);
  const recordsPerSecondOfAProcess = combined([[cpuSecondsPerRecord, 'down']], (seconds) => 1 / seconds);
  const processes =
    scaling?.kind === 'fitted'
      ? fittedProcesses(scaling, rate, streams, checked.maxLoad)
      : combined(
          [
            [rate, 'up'],
            [cpuSecondsPerRecord, 'up'],
          ],
          (perSecond, seconds) => Math.max(1, Math.ceil((perSecond * seconds) / checked.maxLoad)),
        );
  const recordsPerSecondOfAll = together(scaling, processes, recordsPerSecondOfAProcess);
  const openFiles = combined(
    [
      [streams, 'up'],
      [buckets, 'up'],
    ],
    (of, each) => of * each,
  );
  const releaseSeconds = combined(
    [
      [checked.chunkBytes, 'up'],
      [recordBytes, 'down'],
      [rate, 'down'],
      [openFiles, 'up'],
      [checked.chunkSeconds, 'up'],
      [checked.writeSeconds, 'up'],
    ],
    (chunk, bytes, perSecond, files, longest, write) =>
      Math.min(longest, (chunk * files) / (bytes * perSecond)) + write,
  );
  const windowCount = combined(
    [
      [rate, 'up'],
      [releaseSeconds, 'up'],
    ],
    inside,
  );
  const rollSeconds = combined(
    [
      [checked.rollSeconds, 'up'],
      [checked.rollBytes, 'up'],
      [storedBytes, 'down'],
      [rate, 'down'],
      [openFiles, 'up'],
    ],
    (longest, most, bytes, perSecond, files) => Math.min(longest, (most * files) / (bytes * perSecond)),
  );
  const filesPerDay = combined(
    [
      [openFiles, 'up'],
      [rollSeconds, 'down'],
    ],
    (files, seconds) => (files * SECONDS_A_DAY) / seconds,
  );
  const estimates: PlanEstimates = {
    cpuSecondsPerRecord,
    recordsPerSecondOfAProcess,
    processes,
    recordsPerSecondOfAll,
    writesInFlight: combined(
      [
        [rate, 'up'],
        [recordBytes, 'up'],
        [checked.chunkBytes, 'down'],
        [checked.writeSeconds, 'up'],
      ],
      (perSecond, bytes, chunk, seconds) => inside((perSecond * bytes) / chunk, seconds),
    ),
    windowCount,
    windowBytes: combined(
      [
        [windowCount, 'up'],
        [recordBytes, 'up'],
      ],
      (count, bytes) => count * bytes,
    ),
    rollSeconds,
    maxUnacked: combined(
      [
        [rate, 'up'],
        [rollSeconds, 'up'],
        [checked.commitSeconds, 'up'],
      ],
      (perSecond, roll, commit) => inside(perSecond, roll + commit),
    ),
    fileBytes: combined(
      [
        [rate, 'up'],
        [storedBytes, 'up'],
        [rollSeconds, 'up'],
        [openFiles, 'down'],
      ],
      (perSecond, bytes, seconds, files) => (perSecond * bytes * seconds) / files,
    ),
    filesPerDay,
    nameNodeCallsPerSecond: combined(
      [
        [filesPerDay, 'up'],
        [checked.callsPerFile, 'up'],
      ],
      (files, calls) => (files * calls) / SECONDS_A_DAY,
    ),
    memoryBytes: memoryOf(checked, processes),
    catchUpSeconds: combined(
      [
        [checked.backlogRecords, 'up'],
        [recordsPerSecondOfAll, 'down'],
        [rate, 'up'],
      ],
      (backlog, capacity, perSecond) =>
        backlog === 0 ? 0 : capacity > perSecond ? backlog / (capacity - perSecond) : Number.POSITIVE_INFINITY,
    ),
  };
  return { estimates, scaling, warnings: warningsOf(checked, estimates, scaling) };
}

function inside(ratePerSecond: number, seconds: number): number {
  return littleConcurrency({ ratePerSecond, seconds });
}

/** The sum. A difference of two measurements may be below 0 by chance; their sum is what was measured, and is not. */
function cpuOf({ cpu }: CheckedInputs): Estimate {
  if (cpu.length === 0) return { notMeasured: 'no CPU was measured (--sample)' };
  const parts = cpu.map(({ name, secondsPerRecord }): [Estimate, 'up'] => [
    isNotMeasured(secondsPerRecord) ? { notMeasured: `${name}: ${secondsPerRecord.notMeasured}` } : secondsPerRecord,
    'up',
  ]);
  const sum = combined(parts, (...seconds) => seconds.reduce((whole, one) => whole + one, 0));
  if (isNotMeasured(sum) || sum.low > 0) return sum;
  if (sum.value > 0) return { ...sum, low: Number.MIN_VALUE };
  return { notMeasured: 'the CPU of a record is too small for this sample; take more records (--records)' };
}

function fittedProcesses(scaling: Scaling, rate: Estimate, streams: Estimate, maxLoad: number): Estimate {
  if (isNotMeasured(rate)) return rate;
  const most = isNotMeasured(streams) ? 10_000 : Math.floor(streams.value);
  const least = (pick: (of: Interval) => number, needed: number) => {
    for (let n = 1; n <= most; n += 1) if (pick(scaling.at(n)) * maxLoad >= needed) return n;
    return Number.POSITIVE_INFINITY;
  };
  const value = least((of) => of.value, rate.value);
  if (value === Number.POSITIVE_INFINITY) {
    return {
      notMeasured: `no number of processes up to ${most} does ${rate.value} records a second by the fitted law`,
    };
  }
  return { value, low: least((of) => of.high, rate.low), high: least((of) => of.low, rate.high) };
}

/** Without a fitted law: from one process alone, where the others add nothing, to all of them, where nothing is shared. */
function together(scaling: Scaling | null, processes: Estimate, one: Estimate): Estimate {
  if (isNotMeasured(processes)) return processes;
  if (scaling !== null) return scaling.at(processes.value);
  if (isNotMeasured(one)) return one;
  return { value: one.value * processes.value, low: one.low, high: one.high * processes.value };
}

function memoryOf(checked: CheckedInputs, processes: Estimate): Estimate {
  const share = combined(
    [
      [checked.streams, 'up'],
      [processes, 'down'],
    ],
    (streams, among) => Math.ceil(streams / among),
  );
  const { baseBytes, windowBytes, maxPartitionBytes, maxOpenFiles, chunkBytes, maxUnacked } = checked;
  return combined(
    [
      [baseBytes, 'up'],
      [windowBytes, 'up'],
      [share, 'up'],
      [maxPartitionBytes, 'up'],
      [maxOpenFiles, 'up'],
      [chunkBytes, 'up'],
      [maxUnacked, 'up'],
    ],
    (base, window, partitions, fetched, files, chunk, unacked) =>
      base +
      window +
      2 * partitions * fetched +
      RESPONSES * Math.min(MAX_RESPONSE_BYTES, partitions * fetched) +
      files * chunk * GROWN +
      unacked * BYTES_AN_UNACKED,
  );
}

function warningsOf(checked: CheckedInputs, estimates: PlanEstimates, scaling: Scaling | null): string[] {
  const { processes, windowBytes, maxUnacked, catchUpSeconds } = estimates;
  const warnings: string[] = [];
  const isMore = (needed: Estimate, set: Estimate) =>
    !isNotMeasured(needed) && !isNotMeasured(set) && needed.high > set.value;
  if (isMore(processes, checked.streams)) {
    warnings.push(
      'More processes are needed than there are streams, and those beyond get none. Add partitions, or make a record cheaper.',
    );
  }
  if (!isNotMeasured(processes) && processes.value > 1 && scaling?.kind !== 'fitted') {
    warnings.push(
      'How processes add up is not measured, so their number assumes that they share nothing. Measure at four numbers of processes, and give --points.',
    );
  }
  if (isMore(windowBytes, checked.windowBytes)) {
    warnings.push(
      'The window of the source is smaller than what is emitted and not released at this rate. Raise `window`, or the source waits.',
    );
  }
  if (isMore(maxUnacked, checked.maxUnacked)) {
    warnings.push(
      '`maxUnacked` is smaller than what one roll holds, so files roll earlier than they are set to. Raise it, or expect smaller files.',
    );
  }
  if (isMore(catchUpSeconds, checked.headroomSeconds)) {
    warnings.push(
      'Retention may delete records before the backlog is read. Start more processes, or raise the retention of the topic now.',
    );
  }
  return warnings;
}
