import type { Labels, Sample } from '../core/monitor.js';
import { eachCell, type Family, familiesOf } from './families.js';

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
    eachCell(one, (suffix, value, le) => {
      const all = le === undefined ? pairs : `${pairs}${pairs === '' ? '' : ','}le="${le}"`;
      lines.push(`${name}${suffix}${all === '' ? '' : `{${all}}`} ${numberText(value)}`);
    });
  }
  return `${lines.join('\n')}\n`;
}

function pairsText(labels: Labels): string {
  let text = '';
  for (const label of Object.keys(labels)) {
    text += `${text === '' ? '' : ','}${label}="${escaped(labels[label] as string, true)}"`;
  }
  return text;
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
