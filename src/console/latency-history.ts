import { BOUNDS, type HistogramReading } from '../core/histogram.js';
import type { Sample } from '../core/monitor.js';
import type { SourceLatencies } from './contract.js';

/** Of more sources, those that were seen first are kept. */
const MAX_SOURCES = 100;

const HISTOGRAMS = {
  rxflume_source_settle_duration_seconds: ['settleP50', 'settleP99'],
  rxflume_source_age_seconds: ['ageP50', 'ageP99'],
} as const;
type Name = (typeof HISTOGRAMS)[keyof typeof HISTOGRAMS][number];
type Point = Partial<Record<Name, number>>;

interface Kept {
  readonly flow: string;
  readonly source: string;
  readonly before: Map<string, HistogramReading>;
  readonly points: (Point | null)[];
}

/** What the sources' records took in each step of the history. Bounds: 180 points of 4 numbers and 2 readings, for each of 100 sources. */
export class LatencyHistory {
  readonly #most: number;
  readonly #kept = new Map<string, Kept>();
  #length = 0;

  /** Keeps so many points at most. */
  constructor(most: number) {
    this.#most = most;
  }

  add(samples: readonly Sample[]): void {
    const points = new Map<Kept, Point>();
    for (const { name, labels, histogram } of samples) {
      const names = HISTOGRAMS[name as keyof typeof HISTOGRAMS];
      if (names === undefined || histogram === undefined) continue;
      const kept = this.#of(labels.flow ?? '', labels.name ?? labels.source ?? '');
      if (kept === undefined) continue;
      // What was counted before the console began is of no step.
      const then = this.#length === 0 ? histogram : kept.before.get(name);
      const quantiles = quantilesBetween(then, histogram);
      kept.before.set(name, histogram);
      const point = points.get(kept) ?? {};
      points.set(kept, point);
      if (quantiles !== undefined) Object.assign(point, { [names[0]]: quantiles[0], [names[1]]: quantiles[1] });
    }
    this.#length = Math.min(this.#most, this.#length + 1);
    for (const [key, kept] of this.#kept) {
      kept.points.push(points.get(kept) ?? null);
      if (kept.points.length > this.#most) kept.points.shift();
      if (kept.points.every((point) => point === null)) this.#kept.delete(key);
    }
  }

  /** By the name of the flow. */
  read(): Readonly<Record<string, readonly SourceLatencies[]>> {
    const flows: Record<string, SourceLatencies[]> = Object.create(null);
    for (const { flow, source, points } of this.#kept.values()) {
      const series = (name: Name) => points.map((point) => point?.[name] ?? null);
      flows[flow] ??= [];
      flows[flow].push({
        source,
        ...{ settleP50: series('settleP50'), settleP99: series('settleP99') },
        ...{ ageP50: series('ageP50'), ageP99: series('ageP99') },
      });
    }
    return flows;
  }

  #of(flow: string, source: string): Kept | undefined {
    const key = `${flow}\n${source}`;
    let kept = this.#kept.get(key);
    if (kept === undefined && this.#kept.size < MAX_SOURCES) {
      kept = { flow, source, before: new Map(), points: Array.from({ length: this.#length }, () => null) };
      this.#kept.set(key, kept);
    }
    return kept;
  }
}

/**
 * The bounds of the buckets that hold half, and 99 %, of what was counted between two readings; undefined where that is nothing. One that
 * has counted less than before began anew.
 */
function quantilesBetween(
  then: HistogramReading | undefined,
  now: HistogramReading,
): readonly [p50: number, p99: number] | undefined {
  const before = then === undefined || then.count > now.count ? undefined : then;
  const all = now.count - (before?.count ?? 0);
  if (all === 0) return undefined;
  const boundOf = (share: number) => {
    const at = now.cumulative.findIndex((count, nth) => count - (before?.cumulative[nth] ?? 0) >= share * all);
    return BOUNDS[at < 0 ? BOUNDS.length - 1 : at] as number;
  };
  return [boundOf(0.5), boundOf(0.99)];
}
