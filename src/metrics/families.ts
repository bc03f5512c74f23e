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

/** What a number of a series is: of a histogram one of its buckets, its sum or its count, else the value. */
export type Suffix = '' | '_bucket' | '_sum' | '_count';

/** OpenMetrics wants a float, so that a bound is the same text for every client. */
const LE = BOUNDS.map((bound) => (Number.isInteger(bound) ? `${bound}.0` : String(bound)));

/** Visits each number of a series; `le` is the upper bound of a bucket, as OpenMetrics writes it. */
export function eachCell(
  { value, histogram }: Series,
  visit: (suffix: Suffix, value: number, le: string | undefined) => void,
): void {
  if (histogram === undefined) {
    visit('', value, undefined);
    return;
  }
  const { cumulative, count, sum } = histogram;
  for (const [at, le] of LE.entries()) visit('_bucket', cumulative[at] as number, le);
  visit('_bucket', count, '+Inf');
  visit('_sum', sum, undefined);
  visit('_count', count, undefined);
}

function familyOf(name: string, samples: readonly Sample[]): Family {
  const description = descriptionOf(name);
  const type = samples[0]?.histogram === undefined ? description.type : 'histogram';
  const series: Series[] = [];
  const seen = new Set<string>();
  for (const { labels: given, value, histogram } of samples) {
    const labels: Record<string, string> = {};
    let key = '';
    for (const label of Object.keys(given).sort()) {
      if (!LABEL_NAME.test(label)) continue;
      // Half of a surrogate pair is no UTF-8.
      const text = String(given[label]).replace(/\p{Surrogate}/gu, '\ufffd');
      labels[label] = text;
      key += `${label} ${text.length} ${text}`;
    }
    if (seen.has(key)) continue;
    seen.add(key);
    series.push(histogram === undefined ? { labels, value } : { labels, value, histogram });
  }
  return { ...description, name, type, series };
}
