import { withoutSecrets } from '../core/secrets.js';
import { shownText } from '../core/text.js';
import type { Origin } from '../delivery/delivery.js';
import { type AlertEvent, type AlertState, cleanLabels, cleanText, type Severity } from './alert.js';
import { trueShare, wilsonInterval } from './cusum.js';
import { SurgeKey, type SurgeRules } from './surge-key.js';
import { TrailingCounts } from './trailing-counts.js';

export interface DetectorRules extends SurgeRules {
  readonly name: string;
  readonly severity: Severity;
  readonly falseAlarms: { readonly count: number; readonly perMs: number };
  readonly maxKeys: number;
}

/** One value, as the detector counts it. */
export interface Observed {
  readonly key: string;
  readonly isHit: boolean;
  /** Where it comes from; a position that was counted already is not counted again. */
  readonly origin?: Pick<Origin, 'stream' | 'offset' | 'run' | 'part'> | undefined;
  /** What a person may look at; asked for hits only. */
  readonly sample?: (() => string) | undefined;
}

interface Key {
  readonly detector: SurgeKey;
  readonly samples: string[];
  usedAt: number;
  startsAt: number;
}

const MAX_STREAMS = 10_000;
const SAMPLES = 3;
const MAX_SAMPLE_LENGTH = 160;
/** Fewer values than this between false alarms is no budget, whatever the rate seems to be. */
const LEAST_DISTANCE = 100;

/**
 * Surges of many keys. The threshold is the same for all: ln n, where n is how many values of all keys come within the time in which
 * one false alarm is allowed.
 *
 * Pure: the caller gives the time. Bounds: `maxKeys` keys, of which the least recently seen is forgotten unless it fires; a position for
 * each of 10,000 streams.
 */
export class SurgeDetector {
  readonly #rules: DetectorRules;
  readonly #keys = new Map<string, Key>();
  readonly #positions = new Map<string, { offset: number; readonly parts: Set<string> }>();
  #all: TrailingCounts | undefined;
  /** Values that were not counted since all keys in memory fire. */
  crowdedOut = 0;

  constructor(rules: DetectorRules) {
    this.#rules = rules;
  }

  /** Counts a value. `now` only grows; `date` is the same moment as a date. */
  add({ key, isHit, origin, sample }: Observed, now: number, date: number): AlertEvent | undefined {
    if (origin !== undefined && this.#isCounted(origin)) return undefined;
    const { baseline } = this.#rules;
    this.#all ??= new TrailingCounts(baseline.windowMs, now);
    this.#all.moveTo(now);
    this.#all.add(1, 0);
    const entry = this.#entryOf(key, now);
    if (entry === undefined) return undefined;
    const { detector, samples } = entry;
    if (isHit && sample !== undefined) {
      if (detector.excursion === undefined) samples.length = 0;
      samples.push(sample().slice(0, MAX_SAMPLE_LENGTH * 2));
      if (samples.length > SAMPLES) samples.shift();
    }
    const before = detector.excursion;
    const change = detector.add(isHit, now, date, () => this.#threshold(now));
    if (change === undefined) return undefined;
    if (change === 'fired') entry.startsAt = date;
    return this.#event(key, entry, change === 'fired' ? 'firing' : 'resolved', before, date);
  }

  #isCounted({ stream, offset, run, part }: NonNullable<Observed['origin']>): boolean {
    const name = run === undefined ? stream : `${stream}@${run}`;
    const known = this.#positions.get(name);
    if (known === undefined || offset > known.offset) {
      if (known === undefined && this.#positions.size >= MAX_STREAMS) {
        this.#positions.delete(this.#positions.keys().next().value as string);
      }
      const parts = known?.parts ?? new Set<string>();
      parts.clear();
      if (part !== undefined) parts.add(part);
      if (known === undefined) this.#positions.set(name, { offset, parts });
      else known.offset = offset;
      return false;
    }
    // Other parts of the value that was counted last.
    if (offset < known.offset || part === undefined || known.parts.has(part)) return true;
    known.parts.add(part);
    return false;
  }

  #entryOf(key: string, now: number): Key | undefined {
    const known = this.#keys.get(key);
    if (known !== undefined) {
      // Moved to the end at most once a second.
      if (now - known.usedAt >= 1_000) {
        this.#keys.delete(key);
        this.#keys.set(key, known);
        known.usedAt = now;
      }
      return known;
    }
    if (this.#keys.size >= this.#rules.maxKeys && !this.#forgetOne()) {
      this.crowdedOut += 1;
      return undefined;
    }
    const entry = { detector: new SurgeKey(this.#rules, now), samples: [], usedAt: now, startsAt: 0 };
    this.#keys.set(key, entry);
    return entry;
  }

  #forgetOne(): boolean {
    for (const [key, { detector }] of this.#keys) {
      if (detector.isFiring) continue;
      this.#keys.delete(key);
      return true;
    }
    return false;
  }

  #threshold(now: number): number {
    const { count, perMs } = this.#rules.falseAlarms;
    const all = this.#all as TrailingCounts;
    const perPeriod = (all.count / all.coveredMs(now)) * perMs;
    return Math.log(Math.max(LEAST_DISTANCE, perPeriod / count));
  }

  #event(key: string, entry: Key, state: AlertState, of: SurgeKey['excursion'], date: number): AlertEvent {
    const { name, severity } = this.#rules;
    const annotations = this.#evidence(key, entry, of);
    const labels = cleanLabels({ alertname: name, severity, key });
    return { state, isFiring: state === 'firing', labels, annotations, at: date, startsAt: entry.startsAt };
  }

  #evidence(key: string, { detector, samples }: Key, of: SurgeKey['excursion']): Record<string, string> {
    const { classifier } = this.#rules;
    const { count, hits, since } = of ?? { count: 0, hits: 0, since: 0 };
    const percent = (share: number) => `${(100 * trueShare(share, classifier)).toFixed(1)} %`;
    const [low, high] = wilsonInterval(hits, count);
    const usual = percent(detector.usual.share);
    const share = percent(count === 0 ? 0 : hits / count);
    const shown = samples.map((text, at) => [`sample${at + 1}`, redacted(text)] as const);
    return {
      summary: `${shownText(cleanText(key, 80))}: ${share} (${percent(low)} to ${percent(high)}), usually ${usual}.`,
      share,
      interval: `${percent(low)} to ${percent(high)}`,
      usual,
      count: String(count),
      hits: String(hits),
      learntFrom: String(detector.usual.count),
      since: new Date(since).toISOString(),
      ...Object.fromEntries(shown),
    };
  }
}

/** Without secrets, addresses and long numbers, and short. */
function redacted(text: string): string {
  const clean = withoutSecrets(text)
    .replace(/[^\s@]+@[^\s@]+\.[^\s@]+/g, '***')
    .replace(/\d[\d\s-]{4,}\d/g, '***');
  return shownText(cleanText(clean.replace(/\s+/g, ' ').trim(), MAX_SAMPLE_LENGTH));
}
