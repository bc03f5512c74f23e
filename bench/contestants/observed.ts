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

/** Watches a program that does not measure itself, from now until its target. */
export async function observe({ pid, progress, target, recordsPerUnit, everyMs }: Observation): Promise<Measured> {
  const rssMiB: number[] = [];
  const startedAt = performance.now();
  const before = usageOf(pid);
  if (before === undefined) throw new Error('it ended before it began');
  let rssAt = 0;
  for (;;) {
    const done = await progress();
    const at = performance.now();
    const usage = usageOf(pid);
    if (usage === undefined) throw new Error(`it ended when ${Math.round(done * recordsPerUnit)} records were done`);
    if (at - rssAt >= RSS_EVERY_MS) {
      rssMiB.push(Math.round(usage.rssMiB));
      rssAt = at;
    }
    if (done >= target) {
      return {
        records: Math.round(done * recordsPerUnit),
        seconds: (at - startedAt) / 1_000,
        cpuSeconds: usage.cpuSeconds - before.cpuSeconds,
        peakRssMiB: usage.peakRssMiB,
        rssMiB,
      };
    }
    const limitMs = done === 0 ? LONGEST_START_MS : LONGEST_RUN_MS;
    if (at - startedAt > limitMs) {
      throw new Error(`only ${Math.round(done * recordsPerUnit)} records were done after ${limitMs} ms`);
    }
    await sleep(everyMs);
  }
}
