import { BOUNDS } from '../core/histogram.js';
import type { Labels, Sample } from '../core/monitor.js';
import { type Description, descriptionOf } from './catalog.js';

/** The formats that metrics are read in. */
export type Exposition = 'prometheus' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<Exposition, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

/**
 * Samples as the text that Prometheus reads. What has no valid name, or is not a number, is left out: one such line would have all
 * of them rejected. Of two samples with the same labels the first counts, for the same reason.
 *
 * Source: Prometheus, exposition formats; OpenMetrics 1.0.
 */
export function expositionOf(samples: Iterable<Sample>, format: Exposition): string {
  const families = new Map<string, Sample[]>();
  for (const sample of samples) {
    if (!METRIC_NAME.test(sample.name) || Number.isNaN(sample.value)) continue;
    const family = families.get(sample.name);
    if (family === undefined) families.set(sample.name, [sample]);
    else family.push(sample);
  }
  const names = [...families.keys()].sort();
  const parts = names.map((name) => familyText(name, families.get(name) as Sample[], format));
  return `${parts.join('')}${format === 'openmetrics' ? '# EOF\n' : ''}`;
}

function familyText(name: string, samples: readonly Sample[], format: Exposition): string {
  const { type, help } = typeOf(name, samples);
  // There a counter is named without what its samples end in.
  const family = format === 'openmetrics' && type === 'counter' ? name.replace(/_total$/, '') : name;
  const lines = [`# HELP ${family} ${escaped(help, format === 'openmetrics')}`, `# TYPE ${family} ${type}`];
  const seen = new Set<string>();
  for (const { labels, value, histogram } of samples) {
    const pairs = pairsOf(labels);
    if (seen.has(pairs)) continue;
    seen.add(pairs);
    if (histogram === undefined) {
      lines.push(`${name}${braced(pairs)} ${numberText(value)}`);
      continue;
    }
    const { cumulative, count, sum } = histogram;
    const bucket = (le: string, upTo: number) =>
      lines.push(`${name}_bucket{${pairs}${pairs === '' ? '' : ','}le="${le}"} ${upTo}`);
    for (const [at, bound] of BOUNDS.entries()) bucket(boundText(bound), cumulative[at] as number);
    bucket('+Inf', count);
    lines.push(`${name}_sum${braced(pairs)} ${numberText(sum)}`, `${name}_count${braced(pairs)} ${count}`);
  }
  return `${lines.join('\n')}\n`;
}

function typeOf(name: string, samples: readonly Sample[]): Description {
  const description = descriptionOf(name);
  if (samples[0]?.histogram !== undefined) return { ...description, type: 'histogram' };
  return description;
}

function pairsOf(labels: Labels): string {
  return Object.entries(labels)
    .filter(([label]) => LABEL_NAME.test(label))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, value]) => `${label}="${escaped(value, true)}"`)
    .join(',');
}

function braced(pairs: string): string {
  return pairs === '' ? '' : `{${pairs}}`;
}

/** Half of a surrogate pair is no UTF-8: it is replaced. */
function escaped(text: string, withQuotes: boolean): string {
  const whole = String(text).replace(/\p{Surrogate}/gu, '\ufffd');
  const safe = whole.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return withQuotes ? safe.replaceAll('"', '\\"') : safe;
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

/** OpenMetrics wants a float, so that a bound is the same text for every client. */
function boundText(bound: number): string {
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}
