import type { Measured } from '../lab/contest.js';
import { sleep, usageOf } from '../lab/watch.js';

const LONGEST_RUN_MS = 300_000;
const LONGEST_START_MS = 60_000;
const RSS_EVERY_MS = 100;

export interface Observation {
  readonly pid: number;
  /** How much it has done. */
  readonly progress: () => Promise<number>;
  /** How much it is to do, in the same unit. */
  readonly target: number;
  readonly recordsPerUnit: number;
  readonly everyMs: number;
}

/**
 * Watches a program that does not measure itself, from its first progress until its target: its start does not count,
 * nor what it did before it was first seen at work.
 */
export async function observe({ pid, progress, target, recordsPerUnit, everyMs }: Observation): Promise<Measured> {
  const startedAt = Date.now();
  const rssMiB: number[] = [];
  let first: { at: number; done: number; cpuSeconds: number } | undefined;
  let rssAt = 0;
  for (;;) {
    const done = await progress();
    const at = performance.now();
    const usage = usageOf(pid);
    if (usage === undefined) throw new Error(`it ended when ${Math.round(done * recordsPerUnit)} records were done`);
    if (first === undefined && done > 0) first = { at, done, cpuSeconds: usage.cpuSeconds };
    if (first !== undefined && at - rssAt >= RSS_EVERY_MS) {
      rssMiB.push(Math.round(usage.rssMiB));
      rssAt = at;
    }
    if (first !== undefined && done >= target && done > first.done) {
      return {
        records: Math.round((done - first.done) * recordsPerUnit),
        seconds: (at - first.at) / 1_000,
        cpuSeconds: usage.cpuSeconds - first.cpuSeconds,
        peakRssMiB: usage.peakRssMiB,
        rssMiB,
      };
    }
    const limitMs = first === undefined ? LONGEST_START_MS : LONGEST_RUN_MS;
    if (Date.now() - startedAt > limitMs) {
      throw new Error(`only ${Math.round(done * recordsPerUnit)} records were done after ${limitMs} ms`);
    }
    await sleep(everyMs);
  }
}
