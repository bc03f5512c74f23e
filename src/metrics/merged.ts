import type { Labels, Sample } from '../core/monitor.js';
import { descriptionOf } from './catalog.js';

const JOIN: Readonly<Record<'sum' | 'least' | 'most', (a: number, b: number) => number>> = {
  sum: (a, b) => a + b,
  least: Math.min,
  most: Math.max,
};

/**
 * The samples with one for each name and set of labels: where several parts have the same labels, their numbers are joined as the
 * metric says. Of a metric that is not ours the first counts.
 */
export function mergedSamples(samples: Iterable<Sample>): Sample[] {
  const merged = new Map<string, Sample>();
  for (const sample of samples) {
    const key = keyOf(sample.name, sample.labels);
    const before = merged.get(key);
    if (before === undefined) {
      merged.set(key, sample);
      continue;
    }
    const { merge } = descriptionOf(sample.name);
    if (merge !== undefined) merged.set(key, { ...before, value: JOIN[merge](before.value, sample.value) });
  }
  return [...merged.values()];
}

function keyOf(name: string, labels: Labels): string {
  return `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
}
