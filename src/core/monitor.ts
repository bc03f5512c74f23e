import { type Observable, Subject } from 'rxjs';
import { monotonicMs } from './clock.js';
import { describeError, shortName } from './errors.js';
import { flowLabels } from './flow-scope.js';
import { Histogram, type HistogramReading } from './histogram.js';
import { KnownFailures } from './known-failures.js';
import { factsWithoutSecrets, withoutKnownSecrets } from './known-secrets.js';
import { sentence } from './sentence.js';
import { shownText } from './text.js';

export type Labels = Readonly<Record<string, string>>;
export type Level = 'info' | 'warn' | 'error';

/** Something that an operator of a flow should know, logged once. Never contains a secret. */
export interface LogEvent {
  readonly level: Level;
  /** An error code or a short name such as `kafka.assigned`. */
  readonly what: string;
  /** Safe to print. */
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A failure, as reported by one of the parts that see it. */
export interface Failure {
  /** Default `warn`. */
  readonly level?: 'warn' | 'error';
  /** An error code or a short name, as in a log event. */
  readonly what: string;
  /** What has failed: a stream, a server. Failures of it that differ only in numbers count as the same. */
  readonly about?: string;
  /** The complete message, including the cause. */
  readonly message: string;
  /** Only what is new when the cause has already been reported; if absent, nothing is logged then. */
  readonly addition?: string;
  readonly cause: unknown;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A metric as read from a monitor, with Prometheus naming (`_total` for counters, the unit in the name). */
export interface Sample {
  readonly name: string;
  readonly labels: Labels;
  /** Of a histogram: how many values it has counted. */
  readonly value: number;
  /** Only of a histogram, of what it has counted by then. */
  readonly histogram?: HistogramReading;
}

/** Says what is known at the moment it is asked. What is not known is left out, which is not 0. */
export type Collector = () => Iterable<Sample>;

/** A metric that a part of a flow maintains. Counters only `add`; gauges are also `set`. */
export class Metric {
  value = 0;

  add(amount: number): void {
    this.value += amount;
  }

  set(value: number): void {
    this.value = value;
  }
}

/**
 * Metrics and log events of everything that runs with it. Parts write to it per batch, never per value, and are asked for the rest
 * by `samples()`; read that at any time and subscribe to `logEvents$`.
 *
 * ```ts
 * import { Monitor } from 'rxflume';
 *
 * const monitor = new Monitor();
 * const subscription = monitor.logEvents$.subscribe(({ level, message }) => console.log(level, message));
 * monitor.metric('chat_translated_total', { lang: 'zh' }).add(2);
 * monitor.samples(); // → [{ name: 'chat_translated_total', labels: { lang: 'zh' }, value: 2 }]
 * subscription.unsubscribe();
 * ```
 *
 * Bounds: one metric or histogram for each name and label set ever requested; log events are not kept; 1,000 texts of reported
 * failures.
 */
export class Monitor {
  readonly #metrics = new Map<string, { name: string; labels: Labels; metric: Metric }>();
  readonly #histograms = new Map<string, { name: string; labels: Labels; histogram: Histogram }>();
  readonly #collectors = new Set<Collector>();
  readonly #logEvents$ = new Subject<LogEvent>();
  readonly #known = new KnownFailures();
  readonly logEvents$: Observable<LogEvent> = this.#logEvents$.asObservable();

  /** The metric with this name and these labels, and the label `flow` within a flow; the same object at each call. */
  metric(name: string, labels: Labels = {}): Metric {
    const all = { ...flowLabels(), ...labels };
    const key = keyOf(name, all);
    let entry = this.#metrics.get(key);
    if (entry === undefined) {
      entry = { name, labels: all, metric: new Metric() };
      this.#metrics.set(key, entry);
    }
    return entry.metric;
  }

  /** The histogram with this name and these labels, as `metric` has them. */
  histogram(name: string, labels: Labels = {}): Histogram {
    const all = { ...flowLabels(), ...labels };
    const key = keyOf(name, all);
    let entry = this.#histograms.get(key);
    if (entry === undefined) {
      entry = { name, labels: all, histogram: new Histogram() };
      this.#histograms.set(key, entry);
    }
    return entry.histogram;
  }

  /** Removes one metric, such as that of a customer who has left. */
  forget(name: string, labels: Labels = {}): void {
    this.#metrics.delete(keyOf(name, { ...flowLabels(), ...labels }));
  }

  /**
   * Has `collector` asked at each reading, for what is cheaper to look up than to keep, or must not outlive what it is about. Its
   * samples have the labels that it gives. Returns what ends it.
   */
  collect(collector: Collector): () => void {
    this.#collectors.add(collector);
    return () => {
      this.#collectors.delete(collector);
    };
  }

  /** All of them, at this moment. A collector that throws is left out, and reported. */
  samples(): Sample[] {
    const samples: Sample[] = [];
    // First: they may bring counters up to date.
    for (const collector of [...this.#collectors]) {
      try {
        samples.push(...collector());
      } catch (error) {
        this.report({ what: 'metrics.collector', ...withCause('Cannot read some metrics', error) });
      }
    }
    for (const { name, labels, metric } of this.#metrics.values()) samples.push({ name, labels, value: metric.value });
    for (const { name, labels, histogram } of this.#histograms.values()) {
      const reading = histogram.read();
      samples.push({ name, labels, value: reading.count, histogram: reading });
    }
    return samples;
  }

  /** The sum of a name over all its labels. */
  total(name: string): number {
    let sum = 0;
    for (const sample of this.samples()) if (sample.name === name) sum += sample.value;
    return sum;
  }

  logEvent(level: Level, what: string, message: string, details?: Readonly<Record<string, unknown>>): void {
    const shown = { level, what, message: withoutKnownSecrets(shownText(message)) };
    this.#logEvents$.next(details === undefined ? shown : { ...shown, details: factsWithoutSecrets(details) });
  }

  /**
   * Logs a failure that several parts may see: a sink, the source of the nacked values, the command. The first to report the
   * cause logs the full message; a part that reports it, or its consequence, within a minute logs only what is new, as `info`.
   * The same failure of the same thing is logged once in 10 s, and so is an addition; the next log event says how many were
   * suppressed.
   */
  report({ level = 'warn', what, about, message, addition, cause, details }: Failure): void {
    const now = monotonicMs();
    const isKnown = this.#known.find(cause, now) !== undefined;
    if (!isKnown) this.#known.add(cause, now);
    const text = isKnown ? addition : message;
    if (text === undefined) return;
    const same = about === undefined || isKnown ? '' : withoutNumbers(describeError(cause));
    const heldBack = this.#known.say(JSON.stringify([what, about ?? text, same]), now);
    if (heldBack === null) return;
    if (same !== '') this.#known.hush(JSON.stringify([what, about, '']), now);
    const repeated = heldBack === 0 ? '' : ` (${heldBack} similar failures since the last report.)`;
    this.logEvent(isKnown ? 'info' : level, what, `${text}${repeated}`, details);
  }

  /** The first error reported within the last minute, of this one and its causes; undefined if none was. */
  reportedOf(error: unknown): unknown {
    return this.#known.find(error, monotonicMs());
  }
}

/** A failure and its cause: in full, and where the cause was reported before, by its short name. */
export function withCause(text: string, cause: unknown): Pick<Failure, 'message' | 'addition' | 'cause'> {
  const message = sentence(`${text}: ${describeError(cause)}`);
  return { message, addition: `${text}, because of ${shortName(cause)}.`, cause };
}

function keyOf(name: string, labels: Labels): string {
  return `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
}

/** Such as the number of an attempt, a port, or that of a temporary file. */
function withoutNumbers(text: string): string {
  return text.replace(/\d+/g, '0');
}

const SHARED = Symbol.for('rxflume.defaultMonitor');

/**
 * The monitor of every part that is not given another: one per process, as in Prometheus clients, even if a flow file and the
 * command that runs it load two copies of this package.
 *
 * ```ts
 * import { defaultMonitor } from 'rxflume';
 *
 * export function metricsText(): string {
 *   return defaultMonitor.samples().map(({ name, value }) => `${name} ${value}`).join('\n');
 * }
 * ```
 */
export const defaultMonitor: Monitor = shared();

function shared(): Monitor {
  const registry = globalThis as { [SHARED]?: Monitor };
  registry[SHARED] ??= new Monitor();
  return registry[SHARED];
}
