/** Values up to 2^MIN share the first octave, values beyond 2^MAX the last: from a microsecond to 12 days. */
const MIN_EXPONENT = -20;
const MAX_EXPONENT = 20;
/** Steps in which each octave is counted: a quantile is at most an eighth too high. */
const STEP_BITS = 3;
const STEPS = 1 << STEP_BITS;
const BUCKETS = (MAX_EXPONENT - MIN_EXPONENT) * STEPS;
/** The exponent is biased, and lies above the 20 bits of the mantissa that are in the upper word. */
const SHIFT = 20 - STEP_BITS;
const FIRST = (1_023 + MIN_EXPONENT) << STEP_BITS;

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const UPPER = isLittleEndian ? 1 : 0;
const LOWER = isLittleEndian ? 0 : 1;

/** The upper bounds that a histogram is exported with: the powers of two from 2^−10, a millisecond, to 2^20, 12 days. */
export const BOUNDS: readonly number[] = Array.from({ length: MAX_EXPONENT + 11 }, (_, at) => 2 ** (at - 10));

/** A histogram as it was at one moment. */
export interface HistogramReading {
  /** How many values were at most each of `BOUNDS`. */
  readonly cumulative: readonly number[];
  readonly count: number;
  readonly sum: number;
}

/**
 * Counts values, such as seconds, in buckets of a constant relative width: the bits of the number say which, so a value costs an
 * increment and no search. Each bucket includes its upper bound, as in Prometheus, and each bound that is exported is the bound
 * of a bucket, so what is exported is exact.
 *
 * A negative value counts as 0, since a clock that is set back makes one; what is not finite is not counted.
 *
 * Bounds: 320 numbers.
 */
export class Histogram {
  readonly #buckets = new Float64Array(BUCKETS + 1);
  #sum = 0;

  /** Counts a value, `count` times. */
  observe(value: number, count = 1): void {
    if (!Number.isFinite(value)) return;
    const at = bucketOf(value);
    this.#buckets[at] = (this.#buckets[at] as number) + count;
    if (value > 0) this.#sum += value * count;
  }

  read(): HistogramReading {
    const cumulative: number[] = [];
    let count = 0;
    let next = 0;
    for (const bound of BOUNDS) {
      const last = bucketOf(bound);
      for (; next <= last; next += 1) count += this.#buckets[next] as number;
      cumulative.push(count);
    }
    for (; next <= BUCKETS; next += 1) count += this.#buckets[next] as number;
    return { cumulative, count, sum: this.#sum };
  }

  /** The upper bound of the bucket that holds this share of the values, from 0 to 1; undefined where there are none. */
  quantile(share: number): number | undefined {
    const { count } = this.read();
    if (count === 0) return undefined;
    const rank = Math.max(1, Math.ceil(share * count));
    let sum = 0;
    let at = -1;
    while (sum < rank) {
      at += 1;
      sum += this.#buckets[at] as number;
    }
    return upperBoundOf(at);
  }
}

/** What is at most the bucket's upper bound, and above the one before. The last bucket is for all beyond 2^MAX. */
function bucketOf(value: number): number {
  if (value <= 0) return 0;
  float[0] = value;
  // The bound itself belongs to the bucket below.
  const upper = (words[UPPER] as number) - ((words[LOWER] as number) === 0 ? 1 : 0);
  const at = (upper >>> SHIFT) - FIRST;
  return at < 0 ? 0 : Math.min(at, BUCKETS);
}

function upperBoundOf(at: number): number {
  if (at >= BUCKETS) return Number.POSITIVE_INFINITY;
  const octave = MIN_EXPONENT + Math.floor(at / STEPS);
  return 2 ** octave * (1 + ((at % STEPS) + 1) / STEPS);
}
