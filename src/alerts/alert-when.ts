import { Observable, type Subscriber, type Subscription, timer } from 'rxjs';
import { monotonicMs, timeOfDayMs } from '../core/clock.js';
import { describeError } from '../core/errors.js';
import { defaultMonitor, type Labels, type Monitor, withCause } from '../core/monitor.js';
import {
  expectFunction,
  expectMs,
  expectOneOf,
  expectOption,
  expectText,
  expectWhole,
  withDefaults,
} from '../core/options.js';
import { subscribeOrdered } from '../lifecycle/subscribe-ordered.js';
import {
  type AlertEvent,
  type AlertRule,
  type AlertState,
  cleanLabels,
  fingerprintOf,
  type Severity,
} from './alert.js';
import { type AlertPhase, nextPhase, type PhaseRules, type Reading, UNKNOWN } from './alert-phase.js';

export interface AlertWhenOptions<T, S = T> {
  /** The label `alertname`. */
  readonly name: string;
  /** Whether a sample is bad; undefined where that is unknown, which counts as a missing sample. */
  readonly when: (sample: S) => boolean | undefined;
  /** Whether the alert may end. Default: as soon as `when` is false. */
  readonly clearWhen?: (sample: S) => boolean;
  /**
   * The samples of a snapshot, each of another alert. An alert whose sample a snapshot lacks has no data. Default: what is observed
   * is one sample.
   */
  readonly of?: (snapshot: T) => Iterable<S>;
  /** How long `when` must hold until the alert fires. Default 0. */
  readonly forMs?: number;
  /** How long it goes on firing after `when` held last. Default 0. */
  readonly keepFiringForMs?: number;
  /** How many samples in a row must be clear to end it. Default 2. */
  readonly clears?: number;
  /** After how long without a sample an alert has no data. Default 300,000. */
  readonly staleAfterMs?: number;
  /** How many alerts the rule may have; samples of further ones are not looked at. Default 1,000. */
  readonly maxAlerts?: number;
  /** Default `warning`. */
  readonly severity?: Severity;
  /** What tells the alerts of this rule apart. Default: nothing, so there is one. */
  readonly labels?: Labels | ((sample: S) => Labels);
  /** What a person should read, such as `summary`. */
  readonly annotations?: Labels | ((sample: S) => Labels);
  readonly monitor?: Monitor;
}

/** The defaults of `alertWhen`. */
export const ALERT_WHEN_DEFAULTS = {
  forMs: 0,
  keepFiringForMs: 0,
  clears: 2,
  staleAfterMs: 300_000,
  maxAlerts: 1_000,
  severity: 'warning',
  monitor: defaultMonitor,
} as const;

/**
 * A rule over values: what is observed in, changes of alerts out. Durations are of the monotonic clock, so a clock that is set fires
 * and resolves nothing.
 *
 * ```ts
 * import { alertWhen } from 'rxflume/alerts';
 *
 * export const tooHot = alertWhen({
 *   name: 'TooHot',
 *   when: (celsius: number) => celsius > 90,
 *   clearWhen: (celsius: number) => celsius < 80,
 *   forMs: 60_000,
 *   severity: 'critical',
 *   annotations: (celsius: number) => ({ summary: `It is ${celsius} °C.` }),
 * });
 * ```
 *
 * Shape: for each set of labels `inactive`, `pending`, `firing`, `resolved`; `noData` where a sample is missing.
 * Bounds: `maxAlerts` alerts; one timer.
 * Fails: `OptionError` at the call; as what is observed does. A function that throws makes its sample a missing one, and an alert
 * `AlertRuleFailed` of its own, which ends when it throws no more.
 */
export function alertWhen<T, S = T>(options: AlertWhenOptions<T, S>): AlertRule<T> {
  const checked = checkOptions(options as AlertWhenOptions<unknown, unknown>);
  return (observed) => new Observable((subscriber) => new Alerts(checked, subscriber).start(observed));
}

/** The alert of a rule that throws. */
export const RULE_FAILED = 'AlertRuleFailed';

type CheckedOptions = ReturnType<typeof checkOptions>;

function checkOptions(options: AlertWhenOptions<unknown, unknown>) {
  const more = ['name', 'when', 'clearWhen', 'of', 'labels', 'annotations'];
  const checked = withDefaults('alertWhen options', ALERT_WHEN_DEFAULTS, options, more);
  const { name, when, clearWhen, of, labels, annotations } = checked;
  expectText('name', name);
  expectFunction('when', when);
  if (clearWhen !== undefined) expectFunction('clearWhen', clearWhen);
  if (of !== undefined) expectFunction('of', of);
  expectMs('forMs', checked.forMs);
  expectMs('keepFiringForMs', checked.keepFiringForMs);
  expectMs('staleAfterMs', checked.staleAfterMs, 1);
  expectWhole('clears', checked.clears, 1);
  expectWhole('maxAlerts', checked.maxAlerts, 1);
  expectOneOf('severity', checked.severity, ['critical', 'warning', 'info']);
  for (const [option, value] of Object.entries({ labels, annotations })) {
    const isFit = value === undefined || typeof value === 'function' || (typeof value === 'object' && value !== null);
    expectOption(option, value, isFit, 'an object of texts, or a function that returns one');
  }
  expectOption('monitor', checked.monitor, typeof checked.monitor?.logEvent === 'function', 'a Monitor');
  return checked;
}

interface Entry {
  readonly labels: Labels;
  annotations: Labels;
  phase: AlertPhase;
  startsAt: number;
  seenAt: number;
}

/** The alerts of one subscription of a rule. */
class Alerts {
  readonly #options: CheckedOptions;
  readonly #out: Subscriber<AlertEvent>;
  readonly #entries = new Map<string, Entry>();
  readonly #failed: Entry;
  #staleTimer: Subscription | undefined;
  #isFull = false;

  constructor(options: CheckedOptions, out: Subscriber<AlertEvent>) {
    this.#options = options;
    this.#out = out;
    const labels = { alertname: RULE_FAILED, rule: options.name, severity: 'warning' };
    this.#failed = { labels, annotations: {}, phase: UNKNOWN, startsAt: 0, seenAt: 0 };
  }

  start(observed: Observable<unknown>): void {
    const takeFrom = subscribeOrdered(this.#out, () => this.#staleTimer?.unsubscribe());
    takeFrom(observed, { next: (snapshot) => this.#take(snapshot), complete: () => this.#out.complete() });
  }

  #take(snapshot: unknown): void {
    const { of } = this.#options;
    let error: unknown;
    if (of === undefined) error = this.#look(snapshot);
    else {
      const now = monotonicMs();
      try {
        for (const sample of of(snapshot)) error = this.#look(sample) ?? error;
      } catch (thrown) {
        error = thrown ?? new Error('undefined was thrown');
      }
      for (const entry of [...this.#entries.values()]) if (entry.seenAt < now) this.#lose(entry);
    }
    this.#ruleWorks(error);
    this.#watchStale();
  }

  /** What was thrown, if anything was. */
  #look(sample: unknown): unknown {
    const { name, severity, when, clearWhen, labels, annotations } = this.#options;
    let entry: Entry | undefined;
    try {
      const own = typeof labels === 'function' ? labels(sample) : labels;
      entry = this.#entryOf(cleanLabels({ severity, ...own, alertname: name }));
      if (entry === undefined) return undefined;
      entry.seenAt = monotonicMs();
      const holds = when(sample);
      const isClear = holds === false && (clearWhen === undefined || clearWhen(sample));
      const reading = holds === undefined ? 'missing' : holds ? 'bad' : isClear ? 'clear' : 'between';
      // Of the sample that made it fire, and while it fires of the last bad one.
      if (reading === 'bad')
        entry.annotations = (typeof annotations === 'function' ? annotations(sample) : annotations) ?? {};
      this.#move(entry, reading);
      return undefined;
    } catch (error) {
      if (entry !== undefined) this.#move(entry, 'missing');
      return error ?? new Error('undefined was thrown');
    }
  }

  #entryOf(labels: Labels): Entry | undefined {
    const key = fingerprintOf(labels);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    if (this.#entries.size >= this.#options.maxAlerts) {
      if (!this.#isFull) this.#sayFull();
      return undefined;
    }
    const entry = { labels, annotations: {}, phase: UNKNOWN, startsAt: timeOfDayMs(), seenAt: 0 };
    this.#entries.set(key, entry);
    return entry;
  }

  #sayFull(): void {
    this.#isFull = true;
    const { name, maxAlerts, monitor } = this.#options;
    const message = `Rule ${name} has ${maxAlerts} alerts, its \`maxAlerts\`; further label sets are not watched. Use labels with fewer values.`;
    monitor.logEvent('warn', 'alerts.full', message, { rule: name, maxAlerts });
  }

  /** No sample of it comes. What was not firing need not be kept. */
  #lose(entry: Entry): void {
    this.#move(entry, 'missing');
    if (entry.phase.state !== 'firing') this.#entries.delete(fingerprintOf(entry.labels));
  }

  #move(entry: Entry, reading: Reading, rules: PhaseRules = this.#options): void {
    const before = entry.phase.state;
    const { phase, change } = nextPhase(entry.phase, reading, monotonicMs(), rules);
    entry.phase = phase;
    if (phase.state !== before && change !== 'resolved') entry.startsAt = timeOfDayMs();
    if (change !== undefined) this.#say(entry, change);
  }

  #say({ phase, labels, annotations, startsAt }: Entry, state: AlertState): void {
    const isFiring = phase.state === 'firing';
    this.#out.next({ state, isFiring, labels, annotations, at: timeOfDayMs(), startsAt });
  }

  #ruleWorks(error: unknown): void {
    const { name, monitor } = this.#options;
    const reading = error === undefined ? 'clear' : 'bad';
    if (error === undefined && this.#failed.phase.state === 'unknown') return;
    const isNew = this.#failed.phase.state !== 'firing';
    this.#failed.annotations = { summary: `Rule ${name} threw: ${describeError(error ?? '')}.` };
    if (error !== undefined && isNew) {
      const failure = withCause(`Rule ${name} threw, and says nothing of such samples until it is corrected`, error);
      monitor.report({ what: 'alerts.rule', about: name, ...failure });
    }
    this.#move(this.#failed, reading, { forMs: 0, keepFiringForMs: 0, clears: this.#options.clears });
  }

  /** One timer, for the alert that was seen least recently. */
  #watchStale(): void {
    if (this.#staleTimer !== undefined && !this.#staleTimer.closed) return;
    let oldest = Number.POSITIVE_INFINITY;
    for (const { seenAt, phase } of this.#entries.values()) {
      if (!phase.isMissing || phase.state !== 'firing') oldest = Math.min(oldest, seenAt);
    }
    if (oldest === Number.POSITIVE_INFINITY) return;
    const { staleAfterMs } = this.#options;
    this.#staleTimer = timer(Math.max(1, oldest + staleAfterMs - monotonicMs())).subscribe(() => {
      const now = monotonicMs();
      for (const entry of [...this.#entries.values()]) {
        if (now - entry.seenAt >= staleAfterMs) this.#lose(entry);
      }
      this.#staleTimer = undefined;
      this.#watchStale();
    });
  }
}
