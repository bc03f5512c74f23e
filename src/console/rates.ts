import { BOUNDS, type HistogramReading } from '../core/histogram.js';
import type { Sample } from '../core/monitor.js';

const RATE_MS = 5_000;
const LATENCY_MS = 60_000;
/** Readings of counters that are nearer than this to the one before replace it. */
const COUNTS_APART_MS = 1_000;
const HISTOGRAMS_APART_MS = 10_000;

/** What numbers were at some moments, which rates are computed of; as many as the time of the rate takes. */
class Readings<T> {
  readonly #readings: { readonly atMs: number; readonly values: ReadonlyMap<string, T> }[] = [];
  readonly #apartMs: number;
  readonly #forMs: number;

  constructor(apartMs: number, forMs: number) {
    this.#apartMs = apartMs;
    this.#forMs = forMs;
  }

  add(atMs: number, values: ReadonlyMap<string, T>): void {
    const before = this.#readings.at(-2);
    if (before !== undefined && atMs - before.atMs < this.#apartMs) this.#readings.pop();
    this.#readings.push({ atMs, values });
    while (this.#readings.length > 2 && atMs - (this.#readings[1]?.atMs ?? 0) >= this.#forMs) this.#readings.shift();
  }

  /** The newest and the oldest of a name, and the seconds between; undefined where there are not two. */
  span(name: string): { readonly now: T; readonly then: T; readonly seconds: number } | undefined {
    const last = this.#readings.at(-1);
    const now = last?.values.get(name);
    const first = this.#readings.find(({ values }) => values.has(name));
    const then = first?.values.get(name);
    if (last === undefined || first === undefined || now === undefined || then === undefined) return undefined;
    const seconds = (last.atMs - first.atMs) / 1_000;
    return seconds > 0 ? { now, then, seconds } : undefined;
  }
}

/** Counters whose rates are shown. */
const COUNTERS = new Set([
  'rxflume_source_records_total',
  'rxflume_source_bytes_total',
  'rxflume_source_emitted_records_total',
  'rxflume_operator_received_total',
  'rxflume_operator_emitted_total',
  'rxflume_sink_values_total',
  'rxflume_sink_bytes_total',
]);
const HISTOGRAMS = new Set(['rxflume_source_settle_duration_seconds', 'rxflume_sink_write_duration_seconds']);

export interface Latency {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/**
 * Rates of the last 5 seconds, and latencies of the last minute, of all flows.
 *
 * Bounds: 7 readings of the counters, 8 of the histograms.
 */
export class Rates {
  readonly #counts = new Readings<number>(COUNTS_APART_MS, RATE_MS);
  readonly #histograms = new Readings<HistogramReading>(HISTOGRAMS_APART_MS, LATENCY_MS);

  add(atMs: number, samples: readonly Sample[]): void {
    const counts = new Map<string, number>();
    const histograms = new Map<string, HistogramReading>();
    for (const { name, labels, value, histogram } of samples) {
      // Several sources, or sinks, of a flow are added up: an edge has one rate.
      const key = keyOf(name, labels.flow, labels.operator);
      if (COUNTERS.has(name)) counts.set(key, (counts.get(key) ?? 0) + value);
      if (histogram !== undefined && HISTOGRAMS.has(name)) histograms.set(key, histogram);
    }
    this.#counts.add(atMs, counts);
    this.#histograms.add(atMs, histograms);
  }

  /** Undefined before the second reading. A counter that began anew counts from 0. */
  perSecond(name: string, flow: string, operator?: string): number | undefined {
    const span = this.#counts.span(keyOf(name, flow, operator));
    return span === undefined ? undefined : Math.max(0, span.now - span.then) / span.seconds;
  }

  /** In milliseconds; undefined where nothing was measured. */
  latency(name: string, flow: string): Latency | undefined {
    const span = this.#histograms.span(keyOf(name, flow, undefined));
    if (span === undefined) return undefined;
    const { now, then } = span;
    const counts = now.cumulative.map((count, at) => count - (then.cumulative[at] ?? 0));
    const all = now.count - then.count;
    if (all <= 0) return undefined;
    const boundOf = (share: number) => {
      const at = counts.findIndex((count) => count >= share * all);
      return (BOUNDS[at < 0 ? BOUNDS.length - 1 : at] as number) * 1_000;
    };
    return { p50: boundOf(0.5), p95: boundOf(0.95), p99: boundOf(0.99) };
  }
}

function keyOf(name: string, flow = '', operator = ''): string {
  return `${name}\n${flow}\n${operator}`;
}
