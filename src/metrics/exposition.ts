import type { Labels, Sample } from '../core/monitor.js';
import { cellsOf, type Family, familiesOf } from './families.js';

/** The formats that metrics are read in. */
export type Exposition = 'prometheus' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<Exposition, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/**
 * Samples as the text that Prometheus reads.
 *
 * Source: Prometheus, exposition formats; OpenMetrics 1.0.
 */
export function expositionOf(samples: Iterable<Sample>, format: Exposition): string {
  const parts = familiesOf(samples).map((family) => familyText(family, format));
  return `${parts.join('')}${format === 'openmetrics' ? '# EOF\n' : ''}`;
}

function familyText({ name, type, help, series }: Family, format: Exposition): string {
  // There a counter is named without what its samples end in.
  const family = format === 'openmetrics' && type === 'counter' ? name.replace(/_total$/, '') : name;
  const lines = [`# HELP ${family} ${escaped(help, format === 'openmetrics')}`, `# TYPE ${family} ${type}`];
  for (const one of series) {
    const pairs = pairsText(one.labels);
    for (const { suffix, le, value } of cellsOf(one)) {
      const all = le === undefined ? pairs : `${pairs}${pairs === '' ? '' : ','}le="${le}"`;
      lines.push(`${name}${suffix}${all === '' ? '' : `{${all}}`} ${numberText(value)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function pairsText(labels: Labels): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}="${escaped(value, true)}"`)
    .join(',');
}

function escaped(text: string, withQuotes: boolean): string {
  const safe = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return withQuotes ? safe.replaceAll('"', '\\"') : safe;
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}
