const BUCKETS = 24;

/**
 * Counts of the last `windowMs`, in 24 buckets: the oldest is forgotten as a whole.
 *
 * Bounds: 24 pairs of numbers.
 */
export class TrailingCounts {
  count = 0;
  hits = 0;
  readonly #bucketMs: number;
  readonly #buckets = Array.from({ length: BUCKETS }, () => ({ count: 0, hits: 0 }));
  #at = 0;
  #bucketEnds: number;
  #startedAt: number;

  constructor(windowMs: number, now: number) {
    this.#bucketMs = windowMs / BUCKETS;
    this.#bucketEnds = now + this.#bucketMs;
    this.#startedAt = now;
  }

  add(count: number, hits: number): void {
    const bucket = this.#buckets[this.#at] as { count: number; hits: number };
    bucket.count += count;
    bucket.hits += hits;
    this.count += count;
    this.hits += hits;
  }

  /** Forgets what is too old by now; true where a bucket has ended. */
  moveTo(now: number): boolean {
    if (now < this.#bucketEnds) return false;
    const steps = Math.floor((now - this.#bucketEnds) / this.#bucketMs) + 1;
    for (let step = 0; step < Math.min(steps, BUCKETS); step += 1) {
      this.#at = (this.#at + 1) % BUCKETS;
      const bucket = this.#buckets[this.#at] as { count: number; hits: number };
      this.count -= bucket.count;
      this.hits -= bucket.hits;
      bucket.count = 0;
      bucket.hits = 0;
    }
    this.#bucketEnds += steps * this.#bucketMs;
    return true;
  }

  /** Time passes, and nothing is forgotten. */
  freeze(now: number): void {
    this.#bucketEnds = Math.max(this.#bucketEnds, now + this.#bucketMs);
  }

  /** The time that the counts are of. */
  coveredMs(now: number): number {
    return Math.max(1_000, Math.min(now - this.#startedAt, this.#bucketMs * BUCKETS));
  }
}
