import { type Counts, count } from './count.js';
import { runCourse } from './course.js';
import type { FanOutState } from './faults.js';
import type { Options } from './options.js';
import type { ServiceAddresses } from './services.js';
import { setStage } from './stage.js';

export interface Outcome extends Counts {
  readonly seed: number;
  readonly seconds: number;
  /** Collectors that ended by themselves, and were started again. */
  readonly gaveUp: number;
  /** What else is not as it must be. */
  readonly complaints: readonly string[];
  readonly faults: ReadonlyMap<string, FanOutState>;
  /** The longest that the oldest record of a partition waited to be committed, in milliseconds, a partition each. */
  readonly worstAges: readonly number[];
}

/** The most that a run may take beside the time of its faults. */
const SPARE_MS = 600_000;

/** One run, from an empty topic to the count of what landed. `say` is told how it goes. */
export async function runOnce(
  seed: number,
  options: Options,
  addresses: ServiceAddresses,
  stop: AbortSignal,
  say: (line: string) => void,
): Promise<Outcome> {
  const startedAt = Date.now();
  const limit = AbortSignal.timeout(options.seconds * 1_000 + SPARE_MS);
  const stage = await setStage(seed, options, addresses, AbortSignal.any([stop, limit]), say);
  const { complaints, faults, collectors } = stage;
  let isGood = false;
  try {
    await runCourse(stage);
    const counts = await count(stage);
    isGood = complaints.length === 0 && counts.lost + counts.duplicated + counts.foreign + counts.orphans === 0;
    return {
      seed,
      seconds: (Date.now() - startedAt) / 1_000,
      ...counts,
      gaveUp: collectors.gaveUp,
      complaints,
      faults: faults.tallies,
      worstAges: stage.ages.worst.map(({ ms }) => ms),
    };
  } finally {
    await stage.close(isGood);
  }
}
