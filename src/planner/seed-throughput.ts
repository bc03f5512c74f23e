import { expectOption } from '../core/options.js';

/** What `seedThroughput` computes, and how much of it can be believed. */
export interface SeedThroughput {
  readonly value: number;
  readonly note: string;
}

/** For `t = 1`, `k = 2000`, the example that this formula is handed around with. */
const NOTE =
  'n cancels: v = k·t / (1 + (1 − e^(−k·t)) / k), so the formula says that workers do nothing. Its example, k = 2000 and t = 1, is ' +
  '1,999 at any n, not 999.5. Fit measured points with usl.fit instead.';

/**
 * The transfer formula v = k·n·t / (n + (n/k)·(1 − e^(−k·t))), as it is. It is no law of scaling: divide by n, and n is gone.
 *
 * ```ts
 * import { seedThroughput } from 'rxflume/planner';
 *
 * Math.round(seedThroughput({ k: 2_000, n: 4, t: 1 }).value); // → 1999
 * Math.round(seedThroughput({ k: 2_000, n: 400, t: 1 }).value); // → 1999
 * ```
 *
 * Fails: `OptionError` for a rate `k` or a number of workers `n` that is not above 0, or a time `t` below 0.
 */
export function seedThroughput({
  k,
  n,
  t,
}: {
  readonly k: number;
  readonly n: number;
  readonly t: number;
}): SeedThroughput {
  for (const [name, value] of Object.entries({ k, n })) {
    expectOption(name, value, Number.isFinite(value) && value > 0, 'a finite number > 0');
  }
  expectOption('t', t, Number.isFinite(t) && t >= 0, 'a finite number >= 0');
  // Without n, which cancels: n · k may be beyond what a number holds. 1 − e^x loses all digits near x = 0, expm1 none.
  return { value: (k * t) / (1 - Math.expm1(-k * t) / k), note: NOTE };
}
