import { expectOption } from '../core/options.js';

/** A number with the bounds between which it is believed to be: 95 % where it was measured. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Why there is no number, and what to do to get one. */
export interface NotMeasured {
  readonly notMeasured: string;
}

/** What was measured or computed, or why it was not. */
export type Estimate = Interval | NotMeasured;

/**
 * Whether there is no number.
 *
 * ```ts
 * import { isNotMeasured } from 'rxflume/planner';
 *
 * isNotMeasured({ notMeasured: 'pass --rate' }); // → true
 * ```
 */
export function isNotMeasured(estimate: Estimate): estimate is NotMeasured {
  return 'notMeasured' in estimate;
}

/**
 * A number that is known, such as a setting.
 *
 * ```ts
 * import { exactly } from 'rxflume/planner';
 *
 * exactly(2); // → { value: 2, low: 2, high: 2 }
 * ```
 */
export function exactly(value: number): Interval {
  return { value, low: value, high: value };
}

/** The 97.5 % points of Student's distribution, from 1 degree of freedom; beyond the last, that of the normal distribution. */
const T_95 = [
  ...[12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131],
  ...[2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042],
];

/** How many standard errors a mean may be off, with so many degrees of freedom. */
export function studentFactor(degrees: number): number {
  return T_95[Math.max(1, Math.floor(degrees)) - 1] ?? 1.96;
}

/**
 * The mean of measurements with its interval of 95 %, by Student's distribution. It takes them as independent of each other.
 *
 * ```ts
 * import { meanOf } from 'rxflume/planner';
 *
 * const { value } = meanOf([1, 2, 3]);
 * value; // → 2
 * ```
 *
 * Fails: `OptionError` for fewer than two numbers, or one that is not finite.
 */
export function meanOf(measurements: readonly number[]): Interval {
  const areNumbers = Array.isArray(measurements) && measurements.length > 1 && measurements.every(Number.isFinite);
  expectOption('measurements', measurements, areNumbers, 'two or more finite numbers');
  const count = measurements.length;
  // Of the differences from the first: the sum of huge numbers would be infinite.
  const first = measurements[0] as number;
  const value = first + measurements.reduce((sum, one) => sum + (one - first) / count, 0);
  const squares = measurements.reduce((sum, one) => sum + (one - value) ** 2, 0);
  const half = studentFactor(count - 1) * Math.sqrt(squares / (count - 1) / count);
  return { value, low: value - half, high: value + half };
}

/** Whether a result grows or falls with an argument. */
export type Direction = 'up' | 'down';

/**
 * A result of estimates: its bounds are those at the bounds of the arguments, so they hold whenever all of theirs do. The
 * first that was not measured is why the result was not.
 */
export function combined(
  parts: readonly (readonly [Estimate, Direction])[],
  compute: (...values: number[]) => number,
): Estimate {
  const missing = parts.map(([estimate]) => estimate).find(isNotMeasured);
  if (missing !== undefined) return missing;
  const at = (pick: (interval: Interval, direction: Direction) => number) =>
    compute(...parts.map(([estimate, direction]) => pick(estimate as Interval, direction)));
  return {
    value: at(({ value }) => value),
    low: at(({ low, high }, direction) => (direction === 'up' ? low : high)),
    high: at(({ low, high }, direction) => (direction === 'up' ? high : low)),
  };
}

/** Far beyond anything that is measured, and its products with others are still numbers. */
const MOST = 1e18;

/** Throws `OptionError` where it is neither an estimate from `least` on, nor says why there is none. */
export function expectEstimate(name: string, estimate: Estimate, least = 0): void {
  const isObject = typeof estimate === 'object' && estimate !== null;
  if (isObject && 'notMeasured' in estimate && typeof estimate.notMeasured === 'string') return;
  const { value, low, high } = (isObject ? estimate : {}) as Partial<Interval>;
  const holds =
    [value, low, high].every((one) => Number.isFinite(one)) &&
    (low as number) <= (value as number) &&
    (value as number) <= (high as number) &&
    (low as number) >= least &&
    (high as number) <= MOST;
  const rule = `finite { value, low, high } in order from ${least} to ${MOST}, or { notMeasured: 'why' }`;
  expectOption(name, isObject ? JSON.stringify(estimate) : estimate, holds, rule);
}
