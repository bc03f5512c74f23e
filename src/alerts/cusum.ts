/** What is known of a classifier's errors: how many of the hits it finds, and how many of the others it leaves alone. */
export interface ClassifierError {
  readonly sensitivity: number;
  readonly specificity: number;
}

/**
 * A Bernoulli CUSUM: evidence that the share of hits has risen from `q0` to `q1`, summed value by value and never below 0.
 *
 * Source: Page 1954; Lorden 1971: with a threshold of ln n, false alarms are n values apart on average, or more.
 */
export class BernoulliCusum {
  score = 0;
  #hit = 0;
  #miss = 0;

  /** The shares to distinguish; the score is kept. */
  set(q0: number, q1: number): void {
    this.#hit = Math.log(q1 / q0);
    this.#miss = Math.log((1 - q1) / (1 - q0));
  }

  /** The score with one value more, at most `limit`. */
  add(isHit: boolean, limit = Number.POSITIVE_INFINITY): number {
    const score = this.score + (isHit ? this.#hit : this.#miss);
    this.score = score < 0 ? 0 : Math.min(score, limit);
    return this.score;
  }
}

/** The share of hits that a classifier reports where the true share is `share`. */
export function observedShare(share: number, { sensitivity, specificity }: ClassifierError): number {
  return sensitivity * share + (1 - specificity) * (1 - share);
}

/** The true share behind an observed one, from 0 to 1. Source: Rogan and Gladen 1978. */
export function trueShare(observed: number, { sensitivity, specificity }: ClassifierError): number {
  return Math.min(1, Math.max(0, (observed + specificity - 1) / (sensitivity + specificity - 1)));
}

/** The interval that has the share of hits in 95 of 100 cases. Source: Wilson 1927. */
export function wilsonInterval(hits: number, count: number): readonly [low: number, high: number] {
  if (count === 0) return [0, 1];
  const z = 1.959964;
  const share = hits / count;
  const centre = share + z ** 2 / (2 * count);
  const half = z * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  const scale = 1 + z ** 2 / count;
  return [Math.max(0, (centre - half) / scale), Math.min(1, (centre + half) / scale)];
}
