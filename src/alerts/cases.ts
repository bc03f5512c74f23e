import { map, merge, type Observable, takeUntil, timer } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { monotonicMs } from '../core/clock.js';
import { OptionError } from '../core/errors.js';
import type { AlertEvent, AlertRule, AlertState } from './alert.js';
import { alerts } from './alerts.js';

/** A test of rules: what is observed, drawn as marbles, and the alerts that are to come of it. */
export interface AlertCase<T = unknown> {
  readonly name: string;
  /** The time that one character of a row is long, in milliseconds. */
  readonly everyMs: number;
  /** A character for each moment: `-` for none, else a name in `values`. */
  readonly observed: string;
  readonly values: Readonly<Record<string, T>>;
  /**
   * A row for each rule that is to have alerts, by its name: `p` pending, `f` firing, `r` resolved, `n` no data, `-` none of these; several at
   * one moment in parentheses. What is longer than the row of observed values comes after them.
   */
  readonly expected: Readonly<Record<string, string>>;
}

/** What came of one test. */
export interface AlertCaseResult {
  readonly name: string;
  /** The rows that differ; empty where all are as expected. */
  readonly differences: readonly { readonly alert: string; readonly expected: string; readonly actual: string }[];
}

const LETTERS: Readonly<Partial<Record<AlertState, string>>> = {
  pending: 'p',
  firing: 'f',
  resolved: 'r',
  noData: 'n',
};

/**
 * Runs tests of rules in virtual time, as `rxflume alerts test` does.
 *
 * ```ts
 * import { alertWhen, testAlerts } from 'rxflume/alerts';
 *
 * const hot = alertWhen({ name: 'Hot', when: (celsius: number) => celsius > 90, forMs: 20_000 });
 * const rows = { everyMs: 10_000, observed: 'ahhhaa', expected: { Hot: '-p-f-r' } };
 * const [result] = testAlerts([hot], [{ name: 'fires after 20 s', ...rows, values: { a: 20, h: 95 } }]);
 * result?.differences; // → []
 * ```
 *
 * Fails: `OptionError` for a row that names no value.
 */
export function testAlerts<T>(rules: readonly AlertRule<T>[], cases: readonly AlertCase<T>[]): AlertCaseResult[] {
  return cases.map((one) => ({ name: one.name, differences: differencesOf(one, run(rules, one)) }));
}

function run<T>(rules: readonly AlertRule<T>[], one: AlertCase<T>): Map<string, string[][]> {
  const { observed, values, everyMs, expected } = one;
  const lengths = [observed, ...Object.values(expected).map((row) => parsed(row))].map(({ length }) => length);
  const length = Math.max(...lengths);
  const rows = new Map<string, string[][]>();
  const note = ({ state, labels: { alertname = '' } }: AlertEvent) => {
    const letter = LETTERS[state];
    if (letter === undefined) return;
    const row = rows.get(alertname) ?? Array.from({ length }, () => []);
    rows.set(alertname, row);
    row[Math.floor(monotonicMs() / everyMs)]?.push(letter);
  };
  new TestScheduler(() => undefined).run(({ flush }) => {
    const moments = [...observed].flatMap((letter, at): Observable<T>[] => {
      if (letter === '-') return [];
      if (!Object.hasOwn(values, letter)) throw noValue(one.name, letter);
      return [timer(at * everyMs).pipe(map(() => values[letter] as T))];
    });
    const end$ = timer(length * everyMs - 1);
    // It is observed until the end, so what has no data for long is seen.
    const never$ = timer(length * everyMs).pipe(map(() => undefined as T));
    alerts(merge(...moments, never$).pipe(takeUntil(end$)), rules)
      .pipe(takeUntil(end$))
      .subscribe(note);
    flush();
  });
  return rows;
}

function differencesOf(
  { expected }: AlertCase,
  actual: ReadonlyMap<string, string[][]>,
): AlertCaseResult['differences'] {
  const names = new Set([...Object.keys(expected), ...actual.keys()]);
  return [...names].flatMap((alert) => {
    const wanted = drawn(parsed(expected[alert] ?? ''));
    const found = drawn(actual.get(alert) ?? []);
    return wanted === found ? [] : [{ alert, expected: wanted, actual: found }];
  });
}

/** The letters of each moment of a row. */
function parsed(row: string): string[][] {
  return [...row.matchAll(/\(([^)]*)\)|(.)/g)].map(([, several, one = '']) =>
    [...(several ?? one)].filter((letter) => letter !== '-'),
  );
}

function drawn(moments: readonly (readonly string[])[]): string {
  const texts = moments.map((letters) => {
    const all = [...letters].sort().join('');
    return all === '' ? '-' : all.length === 1 ? all : `(${all})`;
  });
  return texts.join('').replace(/-+$/, '');
}

function noValue(name: string, letter: string): OptionError {
  return new OptionError(
    'RXF_OPTION_INVALID',
    `Case \`${name}\` observes \`${letter}\`, which is not in its \`values\`.`,
  );
}
