/** The middle one, the upper of two. */
export function median(numbers: readonly number[]): number {
  return percentile(numbers, 50);
}

/** The smallest number that so many per cent are not above. */
export function percentile(numbers: readonly number[], percent: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

/** a / b round by round: what holds where a machine is now slower, now faster. */
export function ratios(a: readonly number[], b: readonly number[]): number[] {
  return a.slice(0, b.length).map((value, at) => value / (b[at] as number));
}
