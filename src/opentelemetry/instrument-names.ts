import type { Description } from '../metrics/catalog.js';

/** How a metric is called in OpenTelemetry, and what is to be made of it. */
export interface InstrumentDescription {
  readonly name: string;
  /** A unit of UCUM, or what is counted, in braces; empty where it has none. */
  readonly unit: string;
  readonly kind: 'counter' | 'gauge' | 'upDownCounter';
}

/** What a name ends in, and its unit. */
const UNITS: readonly (readonly [end: string, unit: string])[] = [
  ['seconds', 's'],
  ['bytes', 'By'],
  ...['record', 'value', 'batch', 'file', 'commit', 'client', 'connection', 'partition', 'offset'].map(
    (thing): readonly [string, string] => [thing === 'batch' ? 'batches' : `${thing}s`, `{${thing}}`],
  ),
];

/** What is written behind a name again from its unit, so that the name goes without. */
const SUFFIXES = ['seconds', 'bytes'];

/** Gauges of which the sum over all processes means something. */
const ADDITIVE =
  /_(in_flight_(records|bytes|values|batches)|backlog_records|committed_lag_records|(assigned|held_back)_partitions|clients|connections|subscriptions|open_files)$/;

/**
 * The name of a metric by the conventions of OpenTelemetry: the namespaces with a dot, without `_total` and without the unit, which is
 * given apart. The collector, and Prometheus where it receives OTLP, make the metric's own name of it again.
 *
 * Source: OpenTelemetry, general guidelines for metrics; compatibility with Prometheus.
 */
export function instrumentOf(metric: string, type: Description['type']): InstrumentDescription {
  const counted = metric.replace(/_total$/, '');
  const [end, unit] = UNITS.find(([ending]) => counted.endsWith(`_${ending}`)) ?? ['', ''];
  const dotted = counted
    .replace(/^rxflume_(source|sink|operator|flow|process)_/, 'rxflume.$1.')
    .replace(/^rxflume_/, 'rxflume.');
  const bare = SUFFIXES.includes(end) ? dotted.slice(0, -end.length - 1) : dotted;
  // `rxflume.source.bytes`: there is nothing else to call it.
  const name = /^rxflume\.(source|sink)$/.test(bare) ? dotted : bare;
  if (type !== 'gauge') return { name, unit, kind: 'counter' };
  return { name, unit, kind: ADDITIVE.test(metric) ? 'upDownCounter' : 'gauge' };
}
