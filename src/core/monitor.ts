import { type Observable, Subject } from 'rxjs';
import { monotonicMs } from './clock.js';
import { describeError } from './errors.js';
import { KnownFailures } from './known-failures.js';
import { shownText } from './shown-text.js';

export type Labels = Readonly<Record<string, string>>;
export type Level = 'info' | 'warn' | 'error';

/** Something a person running a flow should hear of, once. Never holds a secret. */
export interface LogEvent {
  readonly level: Level;
  /** An error code or a short name such as `kafka.assigned`. */
  readonly what: string;
  /** Safe to print. */
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A failure, as one of those who see it tells it. */
export interface Failure {
  /** Default `warn`. */
  readonly level?: 'warn' | 'error';
  /** An error code or a short name, as in a notice. */
  readonly what: string;
  /** What it has befallen: a stream, a server. Its failures that differ in numbers only are the same. */
  readonly about?: string;
  /** All of it, the cause included. */
  readonly message: string;
  /** Only what is new to somebody who knows the cause; without it there is nothing to add. */
  readonly addition?: string;
  readonly cause: unknown;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A figure as read by a monitor: Prometheus' naming (`_total` for counters, the unit in the name). */
export interface Sample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

/** A figure that a part of a flow keeps. Counters only `add`; gauges are also `set`. */
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
 * Figures and notices of everything that runs with it. Parts write to it per batch, never per value; whoever watches
 * reads `samples()` when it likes and subscribes to `logEvents$`.
 *
 * Bounds: one figure for each name and label set ever asked for; notices are not kept, and of failures that were reported
 * 1,000 texts.
 */
export class Monitor {
  readonly #metrics = new Map<string, { name: string; labels: Labels; metric: Metric }>();
  readonly #logEvents$ = new Subject<LogEvent>();
  readonly #known = new KnownFailures();
  readonly logEvents$: Observable<LogEvent> = this.#logEvents$.asObservable();

  /** The figure of that name and those labels; the same object at each call. */
  metric(name: string, labels: Labels = {}): Metric {
    const key = `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
    let entry = this.#metrics.get(key);
    if (entry === undefined) {
      entry = { name, labels, metric: new Metric() };
      this.#metrics.set(key, entry);
    }
    return entry.metric;
  }

  /** Forgets one figure, such as the lag of a partition that went elsewhere. */
  forget(name: string, labels: Labels = {}): void {
    this.#metrics.delete(`${name} ${JSON.stringify(Object.entries(labels).sort())}`);
  }

  samples(): Sample[] {
    return [...this.#metrics.values()].map(({ name, labels, metric }) => ({ name, labels, value: metric.value }));
  }

  /** The sum of a name over all its labels. */
  total(name: string): number {
    let sum = 0;
    for (const entry of this.#metrics.values()) if (entry.name === name) sum += entry.metric.value;
    return sum;
  }

  logEvent(level: Level, what: string, message: string, details?: Readonly<Record<string, unknown>>): void {
    const shown = { level, what, message: shownText(message) };
    this.#logEvents$.next(details === undefined ? shown : { ...shown, details });
  }

  /**
   * A notice of a failure, which several parts may see: a sink, the source that it refuses to, the command. The first to
   * report the cause says all of it; who reports it within a minute, or what it has caused, says as `info` what is new. The
   * same of one thing is said once in 10 s, and an addition too; how often it was held back is said with the next.
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
    const repeated = heldBack === 0 ? '' : ` (${heldBack} more like it since the last report.)`;
    this.logEvent(isKnown ? 'info' : level, what, `${text}${repeated}`, details);
  }

  /** The first error that was reported within the last minute, of this one and those behind it; undefined where none was. */
  reportedOf(error: unknown): unknown {
    return this.#known.find(error, monotonicMs());
  }
}

/** Such as the number of an attempt, a port, or that of a temporary file. */
function withoutNumbers(text: string): string {
  return text.replace(/\d+/g, '0');
}

const SHARED = Symbol.for('rxflume.defaultMonitor');

/**
 * The monitor of every part that is not given another: one a process, as Prometheus clients have it, also where a flow
 * file and the command that runs it load two copies of this package.
 */
export const defaultMonitor: Monitor = shared();

function shared(): Monitor {
  const registry = globalThis as { [SHARED]?: Monitor };
  registry[SHARED] ??= new Monitor();
  return registry[SHARED];
}
