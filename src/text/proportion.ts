/** A share of a count, with its interval of 95 %. */
export interface Proportion {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

const Z = 1.959_964;

/** The share and its interval by Wilson's score. Source: Wilson, JASA 22, 1927. */
export function proportionOf(hits: number, count: number): Proportion {
  if (count === 0) return { value: 0, low: 0, high: 1, count };
  const share = hits / count;
  const center = share + Z ** 2 / (2 * count);
  const spread = Z * Math.sqrt((share * (1 - share)) / count + Z ** 2 / (4 * count ** 2));
  const whole = 1 + Z ** 2 / count;
  return {
    value: share,
    low: Math.max(0, (center - spread) / whole),
    high: Math.min(1, (center + spread) / whole),
    count,
  };
}
