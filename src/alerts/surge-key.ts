import { BernoulliCusum, type ClassifierError, observedShare, trueShare } from './cusum.js';
import { TrailingCounts } from './trailing-counts.js';

export interface SurgeRules {
  readonly rise: number;
  readonly minVolume: number;
  readonly baseline: { readonly windowMs: number; readonly minCount: number };
  readonly classifier: ClassifierError;
}

/** What is known of a surge when it is reported. Shares are as observed, not yet corrected for the classifier. */
export interface Excursion {
  count: number;
  hits: number;
  /** The first value of it, as a date. */
  since: number;
}

/** How many values more make the baseline worth computing again before a bucket ends. */
const GROWN = 2;
const MAX_SHARE = 0.99;

/**
 * Decides for one key whether the share of hits has risen. Learns the usual share from values that are no part of an excursion, which
 * lasts while the score of the CUSUM is above 0; the baseline is frozen while a surge lasts.
 *
 * Pure: the caller gives the time. Bounds: 24 buckets and a few numbers.
 */
export class SurgeKey {
  readonly #rules: SurgeRules;
  readonly #baseline: TrailingCounts;
  readonly #cusum = new BernoulliCusum();
  #learntFrom = 0;
  #usual = 0;
  #threshold = Number.POSITIVE_INFINITY;
  #excursion: Excursion | undefined;
  isFiring = false;

  constructor(rules: SurgeRules, now: number) {
    this.#rules = rules;
    this.#baseline = new TrailingCounts(rules.baseline.windowMs, now);
  }

  /** What led up to the alert, or is going on. */
  get excursion(): Excursion | undefined {
    return this.#excursion;
  }

  /** The usual share as observed, and how many values it was learnt from. */
  get usual(): { readonly share: number; readonly count: number } {
    return { share: this.#usual, count: this.#learntFrom };
  }

  /** Counts a value. `threshold` is asked for when the baseline is computed again. */
  add(isHit: boolean, now: number, date: number, threshold: () => number): 'fired' | 'resolved' | undefined {
    if (this.isFiring) this.#baseline.freeze(now);
    else if (this.#baseline.moveTo(now) && this.#learntFrom > 0) this.#learn(threshold);
    if (this.#learntFrom === 0) {
      this.#baseline.add(1, isHit ? 1 : 0);
      if (this.#baseline.count >= this.#rules.baseline.minCount) this.#learn(threshold);
      return undefined;
    }
    const score = this.#cusum.add(isHit, this.#threshold);
    this.#excursion ??= { count: 0, hits: 0, since: date };
    this.#excursion.count += 1;
    if (isHit) this.#excursion.hits += 1;
    if (score === 0) return this.#atRest(threshold);
    if (this.isFiring || score < this.#threshold || this.#excursion.count < this.#rules.minVolume) return undefined;
    this.isFiring = true;
    return 'fired';
  }

  #atRest(threshold: () => number): 'resolved' | undefined {
    const { count, hits } = this.#excursion as Excursion;
    this.#excursion = undefined;
    if (this.isFiring) {
      this.isFiring = false;
      return 'resolved';
    }
    this.#baseline.add(count, hits);
    if (this.#baseline.count >= this.#learntFrom * GROWN) this.#learn(threshold);
    return undefined;
  }

  #learn(threshold: () => number): void {
    const { count, hits } = this.#baseline;
    if (count < this.#rules.baseline.minCount) {
      // Too little is left of the window to tell what is usual.
      this.#learntFrom = 0;
      this.#cusum.score = 0;
      this.#excursion = undefined;
      return;
    }
    const { classifier, rise } = this.#rules;
    const estimate = (hits + 0.5) / (count + 1);
    // One standard error more than estimated: a share that was learnt too low would make false alarms.
    const q0 = Math.min(MAX_SHARE, estimate + Math.sqrt((estimate * (1 - estimate)) / count));
    const p0 = Math.max(1 / (2 * count), trueShare(q0, classifier));
    const p1 = Math.min(p0 * rise, (1 + p0) / 2);
    this.#cusum.set(q0, Math.min((1 + q0) / 2, observedShare(p1, classifier)));
    this.#usual = estimate;
    this.#learntFrom = count;
    this.#threshold = threshold();
  }
}
