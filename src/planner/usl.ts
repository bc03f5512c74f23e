import { expectOption } from '../core/options.js';
import { type Interval, studentFactor } from './estimate.js';
import { fitLinear, type LinearFit } from './linear-fit.js';

/** What was measured with `n` workers, such as processes. */
export interface ScalingPoint {
  readonly n: number;
  readonly perSecond: number;
}

/** The law that the points follow, fitted. */
export interface FittedScaling {
  readonly kind: 'fitted';
  /** What one worker does alone, by the fit. */
  readonly gamma: number;
  /** Contention: the share that only one worker can do at a time. */
  readonly alpha: number;
  /** Coherence: what each pair of workers costs. */
  readonly beta: number;
  /** With how many workers the most is done: √((1−α)/β); infinite where more workers always do more. */
  readonly bestN: number;
  /** The standard deviation of the points from the law, as a share. */
  readonly deviation: number;
  /** What `n` workers do, with an interval of 95 % of what the fit itself leaves open. Beyond the measured `n` it is a guess. */
  at(n: number): Interval;
}

/** What can be said by fewer points: between one worker's throughput, and that of `n` which share nothing. */
export interface BoundedScaling {
  readonly kind: 'bounded';
  readonly why: string;
  /** `value` is Amdahl's law with the contention that the points show; with one point it is the upper bound, which nobody has shown. */
  at(n: number): Interval;
}

export type Scaling = FittedScaling | BoundedScaling;

/** Three unknowns, and one more point to see how well the law fits. */
const LEAST_POINTS = 4;

/**
 * The universal scalability law, X(n) = γn / (1 + α(n−1) + βn(n−1)).
 *
 * `fit` needs points at four different `n`; of fewer it gives Amdahl's bounds, and says so.
 *
 * ```ts
 * import { usl } from 'rxflume/planner';
 *
 * const scaling = usl.fit([
 *   { n: 1, perSecond: 1_000 },
 *   { n: 2, perSecond: 1_800 },
 *   { n: 4, perSecond: 2_900 },
 *   { n: 8, perSecond: 3_600 },
 * ]);
 * scaling.kind; // → 'fitted'
 * ```
 *
 * Fails: `OptionError` for no point, an `n` that is not a whole number from 1, or a throughput that is not finite and above 0.
 * Source: N. J. Gunther, Guerrilla Capacity Planning (2007), and A General Theory of Computational Scalability Based on Rational
 * Functions (2008).
 */
export const usl = { fit };

function fit(points: readonly ScalingPoint[]): Scaling {
  expectOption('points', points, Array.isArray(points) && points.length > 0, 'a list of points { n, perSecond }');
  for (const [at, { n, perSecond }] of points.entries()) {
    expectOption(
      `points[${at}].n`,
      n,
      Number.isSafeInteger(n) && n >= 1 && n <= 1e6,
      'a whole number from 1 to 1000000',
    );
    const isRate = Number.isFinite(perSecond) && perSecond > 0 && perSecond <= 1e15;
    expectOption(`points[${at}].perSecond`, perSecond, isRate, 'a number above 0, at most 1e15');
  }
  const different = new Set(points.map(({ n }) => n)).size;
  if (different < LEAST_POINTS) return bounded(points, different);
  // n / X(n) is a sum: 1/γ + (α/γ)(n−1) + (β/γ)n(n−1). Its error is a share of it, as that of a rate is.
  const rows = points.map(({ n, perSecond }) => ({ basis: basisOf(n), y: n / perSecond }));
  const best = fitLinear(rows);
  return fitted(best);
}

const basisOf = (n: number) => [1, n - 1, n * (n - 1)];

function fitted(fit: LinearFit): FittedScaling {
  const [inverse, contention, coherence] = fit.coefficients as [number, number, number];
  const [alpha, beta] = [contention / inverse, coherence / inverse];
  const half = studentFactor(fit.degrees);
  return {
    kind: 'fitted',
    gamma: 1 / inverse,
    alpha,
    beta,
    bestN: beta === 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.sqrt(Math.max(0, 1 - alpha) / beta)),
    deviation: fit.deviation,
    at: (n) => {
      expectWorkers(n);
      const { y, error } = fit.at(basisOf(n));
      const slowest = y + half * error;
      const fastest = y - half * error;
      return { value: n / y, low: n / slowest, high: fastest > 0 ? n / fastest : Number.POSITIVE_INFINITY };
    },
  };
}

/** Amdahl's law, X(n) = n·X(1) / (1 + α(n−1)), by the contention between each two points. */
function bounded(points: readonly ScalingPoint[], different: number): BoundedScaling {
  const sorted = [...points].sort((a, b) => a.n - b.n);
  const first = sorted[0] as ScalingPoint;
  const last = sorted.at(-1) as ScalingPoint;
  // By the smallest n, as if that were the unit: with n = 1 among the points it is Amdahl's own.
  const times = last.n / first.n;
  const seen = times === 1 ? 0 : ((times * first.perSecond) / last.perSecond - 1) / (times - 1);
  const alpha = Math.min(1, Math.max(0, seen));
  return {
    kind: 'bounded',
    why: `the universal scalability law needs points at ${LEAST_POINTS} different n, and there are ${different}`,
    at: (n) => {
      expectWorkers(n);
      const by = n / first.n;
      const linear = first.perSecond * by;
      // Below the smallest n, the bounds change places.
      const [low, high] = [Math.min(linear, first.perSecond), Math.max(linear, first.perSecond)];
      const value = by < 1 ? linear : linear / (1 + alpha * (by - 1));
      return { value, low, high };
    },
  };
}

function expectWorkers(n: number): void {
  expectOption('n', n, Number.isFinite(n) && n >= 1, 'a finite number >= 1');
}
