import type { Observable } from 'rxjs';
import type { Labels } from '../core/monitor.js';

/**
 * `inactive`: the condition does not hold. `pending`: it holds, and not yet for long enough. `firing`: it does. `noData`: that is
 * unknown, since the sample is missing. `resolved`: it was firing, and no longer is.
 */
export type AlertState = 'inactive' | 'pending' | 'firing' | 'noData' | 'resolved';

export type Severity = 'critical' | 'warning' | 'info';

/** A change of one alert. An alert is known by its labels; the label `alertname` is the name of its rule. */
export interface AlertEvent {
  readonly state: AlertState;
  /** Whether the alert is to be reported as firing: also while samples of a firing alert are missing. */
  readonly isFiring: boolean;
  readonly labels: Labels;
  readonly annotations: Labels;
  /** When this happened, in milliseconds since 1970. */
  readonly at: number;
  /** When it began to fire, or before that, when it became pending; in milliseconds since 1970. */
  readonly startsAt: number;
}

/** A rule: what is observed in, changes of its alerts out. Each subscription is on its own. */
export type AlertRule<T> = (observed: Observable<T>) => Observable<AlertEvent>;

/** Labels in one text: the same for the same labels, in any order. */
export function fingerprintOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const LABEL_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;
const MAX_LABEL_LENGTH = 1_024;

/** Labels that every receiver takes: valid names, values that are text and not empty, and not too long. */
export function cleanLabels(labels: Labels): Labels {
  const clean = Object.entries(labels)
    .filter(([name, value]) => LABEL_NAME.test(name) && value !== undefined && value !== null && value !== '')
    .map(([name, value]) => [name, cleanText(String(value), MAX_LABEL_LENGTH)]);
  return Object.fromEntries(clean) as Labels;
}

/** Text from outside, cut, without halves of surrogate pairs. */
export function cleanText(text: string, maxLength: number): string {
  return text.slice(0, maxLength).replace(/\p{Surrogate}/gu, '\ufffd');
}
