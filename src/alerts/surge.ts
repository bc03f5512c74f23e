import { Observable, Subject } from 'rxjs';
import { monotonicMs, timeOfDayMs } from '../core/clock.js';
import { describeError } from '../core/errors.js';
import { defaultMonitor, type Monitor, withCause } from '../core/monitor.js';
import {
  expectFunction,
  expectMs,
  expectOneOf,
  expectOption,
  expectText,
  expectWhole,
  groupWithDefaults,
  withDefaults,
} from '../core/options.js';
import type { Delivery } from '../delivery/delivery.js';
import { type DeliveryOperator, deliveryOperator } from '../delivery/delivery-operator.js';
import { eachDelivery } from '../delivery/each-delivery.js';
import { subscribeOrdered } from '../lifecycle/subscribe-ordered.js';
import type { AlertEvent, AlertRule, Severity } from './alert.js';
import { RULE_FAILED } from './alert-when.js';
import type { ClassifierError } from './cusum.js';
import { SurgeDetector } from './surge-detector.js';

export interface SurgeBaselineOptions {
  /** Over how long the usual share is learnt. Default a day. */
  readonly windowMs?: number;
  /** From how many values at least; until then a key has no alerts. Default 1,000. */
  readonly minCount?: number;
}

export interface SurgeOptions<T> {
  /** The label `alertname`. */
  readonly name: string;
  /** The label `key`: what shares are counted of, such as a product. */
  readonly key: (value: T, delivery?: Delivery<T>) => string;
  /** Whether a value is a hit, such as a text that is negative. */
  readonly of: (value: T, delivery?: Delivery<T>) => boolean;
  /** How many false alarms of all keys together are accepted in which time. Default one a week. */
  readonly falseAlarms?: { readonly count: number; readonly perMs: number };
  /** By what factor the share must rise to be looked for. Smaller rises are found later, or not. Default 2. */
  readonly rise?: number;
  /** How many values a surge must have before it is reported. Default 30. */
  readonly minVolume?: number;
  readonly baseline?: SurgeBaselineOptions;
  /** What is known of the errors of `of`. Default: none. */
  readonly classifier?: ClassifierError;
  /** What to show of a hit, up to three in an alert; it is cut and redacted. Default: nothing. */
  readonly sample?: (value: T, delivery?: Delivery<T>) => string;
  /** How many keys are watched; the least recently seen is forgotten. Default 10,000. */
  readonly maxKeys?: number;
  /** When a value happened, in milliseconds since 1970; for `rxflume alerts backtest`. */
  readonly timestamp?: (value: T, delivery?: Delivery<T>) => number | undefined;
  /** Default `warning`. */
  readonly severity?: Severity;
  readonly monitor?: Monitor;
}

/** The defaults of `surge`. */
export const SURGE_DEFAULTS = {
  falseAlarms: { count: 1, perMs: 604_800_000 },
  rise: 2,
  minVolume: 30,
  baseline: { windowMs: 86_400_000, minCount: 1_000 },
  classifier: { sensitivity: 1, specificity: 1 },
  maxKeys: 10_000,
  severity: 'warning',
  monitor: defaultMonitor,
} as const;

/** A rule over plain values, and an operator of a flow whose alerts come from `watched`. */
export interface Surge<T> extends AlertRule<T> {
  readonly ruleName: string;
  /** The alerts of what goes through `watch()`, as a rule for `alerts`, whatever that observes. Hot. */
  readonly watched: AlertRule<unknown>;
  /** Looks at deliveries and passes them on as they are, whatever happens here. */
  watch(): DeliveryOperator<T>;
  /** The alerts that values of the past would have made, each at the time that `timestamp` gives, or else at `at`. */
  replay(values: readonly { readonly value: T; readonly at: number }[]): SurgeBacktest;
}

/** What came of values of the past. Times are in milliseconds since 1970. */
export interface SurgeBacktest {
  readonly events: readonly AlertEvent[];
  readonly firstAt: number;
  readonly lastAt: number;
}

/**
 * Finds keys whose share of hits has risen: a Bernoulli CUSUM for each, whose threshold follows from how many false alarms you
 * accept. The usual share is learnt from a trailing window, and is frozen while an alert fires. A redelivered value is not
 * counted again. An alert ends when the evidence is used up by values with the usual share.
 *
 * ```ts
 * import { surge } from 'rxflume/alerts';
 *
 * export const anger = surge({
 *   name: 'Anger',
 *   key: (review: { product: string; text: string }) => review.product,
 *   of: (review) => review.text.includes('refund'),
 *   falseAlarms: { count: 1, perMs: 7 * 86_400_000 },
 *   sample: (review) => review.text,
 * });
 * ```
 *
 * Shape: `firing` and `resolved` for each key, with the share, its interval, the counts and the usual share as annotations.
 * Settles: `watch()` settles nothing.
 * Bounds: `maxKeys` keys of about 1 KB; 10,000 streams; three samples of 160 characters for each key.
 * Fails: `OptionError` at the call. A function that throws makes an alert `AlertRuleFailed`; the value is not counted.
 */
export function surge<T>(options: SurgeOptions<T>): Surge<T> {
  const checked = checkOptions(options);
  const shared = new Counting(checked);
  const alerts$ = new Subject<AlertEvent>();
  const overValues: AlertRule<T> = (values$) =>
    new Observable((subscriber) => {
      const counting = new Counting(checked);
      const takeFrom = subscribeOrdered(subscriber);
      takeFrom(values$, {
        next: (value) => {
          for (const event of counting.add(value, undefined)) subscriber.next(event);
        },
      });
    });
  return Object.assign(overValues, {
    ruleName: checked.name,
    watched: () => alerts$.asObservable(),
    watch: () =>
      deliveryOperator(
        'surge',
        'kept',
        eachDelivery((delivery: Delivery<T>) => {
          for (const event of shared.add(delivery.value, delivery)) alerts$.next(event);
          return delivery;
        }),
      ) as DeliveryOperator<T>,
    replay: (values: readonly { readonly value: T; readonly at: number }[]) => {
      const counting = new Counting(checked);
      const dated = values.map(({ value, at }) => ({ value, at: checked.timestamp?.(value) ?? at }));
      dated.sort((a, b) => a.at - b.at);
      const events = dated.flatMap(({ value, at }) => counting.at(value, undefined, at) ?? []);
      return { events, firstAt: dated[0]?.at ?? 0, lastAt: dated.at(-1)?.at ?? 0 };
    },
  });
}

type CheckedOptions<T> = ReturnType<typeof checkOptions<T>>;

function checkOptions<T>(options: SurgeOptions<T>) {
  const more = ['name', 'key', 'of', 'sample', 'timestamp'];
  const checked = withDefaults('surge options', SURGE_DEFAULTS, options, more);
  const { name, key, of, sample, timestamp, rise, minVolume, maxKeys, severity, monitor } = checked;
  expectText('name', name);
  expectFunction('key', key);
  expectFunction('of', of);
  for (const [option, value] of Object.entries({ sample, timestamp })) {
    if (value !== undefined) expectFunction(option, value);
  }
  expectOption('rise', rise, typeof rise === 'number' && rise > 1 && rise < 1_000, 'a number above 1');
  expectWhole('minVolume', minVolume, 1);
  expectWhole('maxKeys', maxKeys, 1);
  expectOneOf('severity', severity, ['critical', 'warning', 'info']);
  const baseline = groupWithDefaults('baseline', SURGE_DEFAULTS.baseline, options.baseline);
  const { windowMs, minCount } = baseline;
  expectMs('baseline.windowMs', windowMs, 1);
  expectWhole('baseline.minCount', minCount, 1);
  const falseAlarms = groupWithDefaults('falseAlarms', SURGE_DEFAULTS.falseAlarms, options.falseAlarms);
  const { count, perMs } = falseAlarms;
  expectOption('falseAlarms.count', count, typeof count === 'number' && count > 0, 'a number above 0');
  expectOption('falseAlarms.perMs', perMs, typeof perMs === 'number' && perMs > 0, 'a number of milliseconds above 0');
  const classifier = groupWithDefaults('classifier', SURGE_DEFAULTS.classifier, options.classifier);
  for (const [side, share] of Object.entries(classifier)) {
    expectOption(
      `classifier.${side}`,
      share,
      typeof share === 'number' && share > 0 && share <= 1,
      'a share above 0, at most 1',
    );
  }
  const isBetter = classifier.sensitivity + classifier.specificity > 1;
  expectOption('classifier', classifier, isBetter, 'better than chance: sensitivity + specificity > 1');
  expectOption('monitor', monitor, typeof monitor?.logEvent === 'function', 'a Monitor');
  return { ...checked, baseline, falseAlarms, classifier };
}

/** Counts values by the functions of the options, which may throw. */
class Counting<T> {
  readonly #options: CheckedOptions<T>;
  readonly #detector: SurgeDetector;
  #failingSince: number | undefined;
  #saidCrowded = false;

  constructor(options: CheckedOptions<T>) {
    this.#options = options;
    this.#detector = new SurgeDetector(options);
  }

  add(value: T, delivery: Delivery<T> | undefined): AlertEvent[] {
    try {
      const event = this.at(value, delivery, timeOfDayMs(), monotonicMs());
      if (!this.#saidCrowded && this.#detector.crowdedOut > 0) this.#sayCrowded();
      const failure = this.#failingSince === undefined ? undefined : this.#works();
      return [failure, event].filter((one) => one !== undefined);
    } catch (error) {
      return this.#failingSince === undefined ? [this.#fails(error)] : [];
    }
  }

  at(value: T, delivery: Delivery<T> | undefined, date: number, now = date): AlertEvent | undefined {
    const { key, of, sample } = this.#options;
    const isHit = of(value, delivery) === true;
    const shown = sample === undefined ? undefined : () => String(sample(value, delivery));
    const observed = { key: String(key(value, delivery)), isHit, origin: delivery?.origin, sample: shown };
    return this.#detector.add(observed, now, date);
  }

  #fails(error: unknown): AlertEvent {
    const { name, monitor } = this.#options;
    this.#failingSince = timeOfDayMs();
    monitor.report({
      what: 'alerts.rule',
      about: name,
      ...withCause(`Rule ${name} threw, and does not count such values`, error),
    });
    return this.#failure('firing', `Rule ${name} threw: ${describeError(error)}.`);
  }

  #works(): AlertEvent {
    const event = this.#failure('resolved', `Rule ${this.#options.name} works again.`);
    this.#failingSince = undefined;
    return event;
  }

  #failure(state: 'firing' | 'resolved', summary: string): AlertEvent {
    const labels = { alertname: RULE_FAILED, rule: this.#options.name, severity: 'warning' };
    const at = timeOfDayMs();
    const startsAt = this.#failingSince ?? at;
    return { state, isFiring: state === 'firing', labels, annotations: { summary }, at, startsAt };
  }

  #sayCrowded(): void {
    this.#saidCrowded = true;
    const { name, maxKeys, monitor } = this.#options;
    const message = `Rule ${name} watches ${maxKeys} keys, its \`maxKeys\`, all of which fire; further keys are not watched.`;
    monitor.logEvent('warn', 'alerts.full', message, { rule: name, maxKeys });
  }
}
