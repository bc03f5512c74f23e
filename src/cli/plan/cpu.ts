import { Observable } from 'rxjs';
import { monotonicMs } from '../../core/clock.js';
import { describeError } from '../../core/errors.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { FlowInside } from '../../flow/flow.js';
import type { AnyStep } from '../../flow/probes.js';
import { type CpuPart, type Estimate, meanOf } from '../../planner/index.js';
import { deliveryOf, SampleAcker, type Sampled } from './sample.js';

export interface CpuLimits {
  /** For all of it, in milliseconds. */
  readonly ms: number;
  readonly rounds: number;
  /** How much CPU one run is to take at least, in microseconds, by passes over the sample. */
  readonly runMicroseconds: number;
}

export interface CpuMeasured {
  /** The steps together: its interval is that of their sum, which is narrower than the sum of theirs. */
  readonly all: Estimate;
  readonly parts: readonly CpuPart[];
  readonly warnings: readonly string[];
}

/** Handed over at once, as by one fetch; then timers and sockets have their turn. */
const BURST = 1_000;
/** Until the optimizing compiler has seen the code. */
const WARM_UP_ROUNDS = 3;
const LEAST_ROUNDS = 3;
/** The share of the time that one run may take: what never ends leaves time to measure what is before it. */
const MOST_OF_THE_TIME = 0.25;

/**
 * The CPU that each step takes for a record, by prefixes: the first step alone, the first two, and so on, over the same
 * sample, in turn, and the differences between neighbours of one round. Clocks around each call would cost as much as the
 * operator that they measure, and miss what it does later: in timers, threads and the garbage collector. The CPU of the
 * process has all of that, and waiting takes none.
 *
 * The last step is left out where `end` is undefined. Nothing of the sample goes anywhere: branches ack, see `unlessRehearsed`.
 *
 * Bounds: `limits.ms`; the sample, once.
 * Fails: never; a step that throws, or does not end, is not measured, and nor is what is behind it.
 */
export async function measureCpu(
  flow: FlowInside,
  sample: readonly Sampled[],
  steps: readonly AnyStep[],
  limits: CpuLimits,
): Promise<CpuMeasured> {
  const names = steps.map(({ name }, at) => `${at + 1} ${name}`.trimEnd());
  if (sample.length === 0) {
    const secondsPerRecord = { notMeasured: 'the sample is empty' };
    return { all: secondsPerRecord, parts: names.map((name) => ({ name, secondsPerRecord })), warnings: [] };
  }
  const until = monotonicMs() + limits.ms;
  const prefixes = [0, ...names.map((_, at) => at + 1)];
  const measured = prefixes.map((): number[] => []);
  const warnings: string[] = [];
  /** The prefix that could not be run, and why. */
  let failed: { readonly at: number; readonly why: string } | undefined;
  let passes = 1;
  measuring: for (let round = -WARM_UP_ROUNDS; round < limits.rounds; round += 1) {
    for (const at of prefixes.filter((prefix) => failed === undefined || prefix < failed.at)) {
      const runUntil = Math.min(until, monotonicMs() + limits.ms * MOST_OF_THE_TIME);
      const run = await runOf(flow, sample, steps.slice(0, at), { passes, until: runUntil });
      if ('why' in run) {
        // It went through before, so the time is up, and the rounds until now count.
        if (run.isLate && round > -WARM_UP_ROUNDS) break measuring;
        failed = { at, why: run.why };
        break;
      }
      if (round === -WARM_UP_ROUNDS && run.nacked > 0) {
        warnings.push(
          `${names[at - 1]}: ${run.nacked} of ${sample.length} records of the sample were nacked: ${describeError(run.cause)}.`,
        );
      }
      if (round === -1 && at === prefixes.at(-1)) {
        passes = Math.max(
          1,
          Math.min(1_000, Math.ceil((passes * limits.runMicroseconds) / Math.max(1, run.microseconds))),
        );
      }
      if (round >= 0) measured[at]?.push(run.microseconds / passes / sample.length / 1e6);
    }
    if (monotonicMs() >= until) break;
  }
  const between = (from: number, to: number): Estimate => {
    if (failed !== undefined && to >= failed.at) {
      const { at, why } = failed;
      return { notMeasured: to === at ? why : `${names[at - 1]} could not be measured` };
    }
    return differenceOf(measured[from] as readonly number[], measured[to] as readonly number[]);
  };
  const all: Estimate =
    failed === undefined ? between(0, names.length) : { notMeasured: `${names[failed.at - 1]}: ${failed.why}` };
  const parts = names.map((name, index) => ({ name, secondsPerRecord: between(index, index + 1) }));
  return { all, parts, warnings: [...new Set(warnings)] };
}

/** Of the same rounds: what slowed the machine down in one of them slowed both. */
function differenceOf(before: readonly number[], own: readonly number[]): Estimate {
  const differences = own.slice(0, before.length).map((seconds, round) => seconds - (before[round] as number));
  if (differences.length < LEAST_ROUNDS) {
    return {
      notMeasured: `only ${differences.length} rounds fitted into the time; raise --within, or lower --records`,
    };
  }
  return meanOf(differences);
}

type Run = { readonly microseconds: number; readonly nacked: number; readonly cause: unknown } | Failure;

interface Failure {
  readonly why: string;
  /** It ran out of time. */
  readonly isLate: boolean;
}

async function runOf(
  flow: FlowInside,
  sample: readonly Sampled[],
  steps: readonly AnyStep[],
  { passes, until }: { readonly passes: number; readonly until: number },
): Promise<Run> {
  const acker = new SampleAcker();
  const before = process.cpuUsage();
  for (let pass = 0; pass < passes; pass += 1) {
    const failure = await passOf(flow, sample, steps, acker, until);
    if (failure !== undefined) return failure;
  }
  const { user, system } = process.cpuUsage(before);
  return { microseconds: user + system, nacked: acker.nacked, cause: acker.cause };
}

/** Runs the sample through the steps once; undefined where that ended well, else why not. */
function passOf(
  flow: FlowInside,
  sample: readonly Sampled[],
  steps: readonly AnyStep[],
  acker: SampleAcker,
  until: number,
): Promise<Failure | undefined> {
  return new Promise((resolve) => {
    const inBursts = new Observable<Delivery<unknown>>((subscriber) => {
      let seq = 0;
      let next: NodeJS.Immediate | undefined;
      const burst = () => {
        const end = Math.min(sample.length, seq + BURST);
        for (; seq < end && !subscriber.closed; seq += 1)
          subscriber.next(deliveryOf(sample[seq] as Sampled, acker, seq));
        if (seq < sample.length && !subscriber.closed) next = setImmediate(burst);
        else subscriber.complete();
      };
      burst();
      return () => clearImmediate(next);
    });
    const end = (why?: string, isLate = false) => {
      clearTimeout(deadline);
      // After the subscription that this may be called within.
      setImmediate(() => running?.unsubscribe());
      resolve(why === undefined ? undefined : { why, isLate });
    };
    const late = `${sample.length} records did not pass through it in the time that was left; raise --within, or lower --records`;
    const deadline = setTimeout(() => end(late, true), Math.max(1, until - monotonicMs()));
    const running = flow.rehearse(() => {
      try {
        return steps
          .reduce((stream, step) => step(stream), inBursts as Observable<unknown>)
          .subscribe({
            next: (emitted) => {
              (emitted as Partial<Delivery<unknown>> | null)?.ack?.();
            },
            error: (error: unknown) => end(`it failed: ${describeError(error)}`),
            complete: () => end(),
          });
      } catch (error) {
        end(`it failed: ${describeError(error)}`);
        return undefined;
      }
    });
  });
}
