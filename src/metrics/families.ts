import { BOUNDS } from '../core/histogram.js';
import type { Labels, Sample } from '../core/monitor.js';
import { type Description, descriptionOf } from './catalog.js';
import { mergedSamples } from './merged.js';

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

/** All samples of one name, as they may be exported. */
export interface Family extends Description {
  readonly name: string;
  readonly series: readonly Series[];
}

/** A sample whose labels are in order, have valid names and hold no half of a surrogate pair. */
export interface Series {
  readonly labels: Labels;
  readonly value: number;
  readonly histogram?: Sample['histogram'];
}

/**
 * Samples by their names, in order. What has no valid name, or is not a number, is left out: one such line would have all of
 * them rejected. Samples with the same labels are joined, for the same reason.
 */
export function familiesOf(samples: Iterable<Sample>): Family[] {
  const byName = new Map<string, Sample[]>();
  for (const sample of mergedSamples(samples)) {
    if (!METRIC_NAME.test(sample.name) || Number.isNaN(sample.value)) continue;
    const family = byName.get(sample.name);
    if (family === undefined) byName.set(sample.name, [sample]);
    else family.push(sample);
  }
  return [...byName.keys()].sort().map((name) => familyOf(name, byName.get(name) as Sample[]));
}

/** One number of a series: of a histogram its buckets, sum and count, else the value alone. */
export interface Cell {
  readonly suffix: '' | '_bucket' | '_sum' | '_count';
  /** Only of a bucket: its upper bound, as OpenMetrics writes it. */
  readonly le?: string;
  readonly value: number;
}

export function cellsOf({ value, histogram }: Series): Cell[] {
  if (histogram === undefined) return [{ suffix: '', value }];
  const { cumulative, count, sum } = histogram;
  const bucket = (le: string, upTo: number): Cell => ({ suffix: '_bucket', le, value: upTo });
  return [
    ...BOUNDS.map((bound, at) => bucket(boundText(bound), cumulative[at] as number)),
    bucket('+Inf', count),
    { suffix: '_sum', value: sum },
    { suffix: '_count', value: count },
  ];
}

function familyOf(name: string, samples: readonly Sample[]): Family {
  const description = descriptionOf(name);
  const type = samples[0]?.histogram === undefined ? description.type : 'histogram';
  const series = new Map<string, Series>();
  for (const { labels: given, value, histogram } of samples) {
    const pairs = pairsOf(given);
    const key = JSON.stringify(pairs);
    if (series.has(key)) continue;
    const labels = Object.fromEntries(pairs);
    series.set(key, histogram === undefined ? { labels, value } : { labels, value, histogram });
  }
  return { ...description, name, type, series: [...series.values()] };
}

/** Half of a surrogate pair is no UTF-8: it is replaced. */
function pairsOf(labels: Labels): [string, string][] {
  return Object.entries(labels)
    .filter(([label]) => LABEL_NAME.test(label))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, value]) => [label, String(value).replace(/\p{Surrogate}/gu, '\ufffd')]);
}

/** OpenMetrics wants a float, so that a bound is the same text for every client. */
function boundText(bound: number): string {
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}
