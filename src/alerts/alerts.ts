import { catchError, connect, defer, map, merge, type Observable, of, retry, tap, throwError, timer } from 'rxjs';
import { timeOfDayMs } from '../core/clock.js';
import { describeError } from '../core/errors.js';
import { defaultMonitor, withCause } from '../core/monitor.js';
import { expectOption } from '../core/options.js';
import type { AlertEvent, AlertRule } from './alert.js';
import { RULE_FAILED } from './alert-when.js';

/** A rule that fails as a whole starts anew after this long. */
const AGAIN_AFTER_MS = 60_000;

/**
 * Runs rules over the same values, and merges their alerts. Of a surge that watches deliveries of a flow give
 * `watched`.
 *
 * ```ts
 * import { alerts, builtInAlerts, flowSnapshots } from 'rxflume/alerts';
 *
 * alerts(flowSnapshots(), builtInAlerts()).subscribe(({ state, labels }) => console.log(state, labels));
 * ```
 *
 * Fails: `OptionError` at the call; as the values do. A rule that fails becomes an alert `AlertRuleFailed`, and starts anew after a
 * minute; the others go on.
 */
export function alerts<T>(observed$: Observable<T>, rules: readonly AlertRule<T>[]): Observable<AlertEvent> {
  const areRules = Array.isArray(rules) && rules.every((rule) => typeof rule === 'function');
  expectOption('rules', rules, areRules, 'a list of rules');
  return observed$.pipe(
    connect((shared$) => {
      // The failure of what is observed is no failure of a rule.
      let isOver = false;
      const noted$ = shared$.pipe(
        tap({
          error: () => {
            isOver = true;
          },
        }),
      );
      return merge(...rules.map((rule) => guarded(rule, noted$, () => isOver)));
    }),
  );
}

function guarded<T>(rule: AlertRule<T>, observed$: Observable<T>, isOver: () => boolean): Observable<AlertEvent> {
  let failedAt: number | undefined;
  const failure = (state: 'firing' | 'resolved', summary: string): AlertEvent => {
    const at = timeOfDayMs();
    const labels = { alertname: RULE_FAILED, rule: nameOf(rule), severity: 'warning' };
    const startsAt = failedAt ?? at;
    return { state, isFiring: state === 'firing', labels, annotations: { summary }, at, startsAt };
  };
  const works = () => {
    const event = failure('resolved', 'The rule works again.');
    failedAt = undefined;
    return event;
  };
  return defer(() => {
    const own$ = rule(observed$);
    if (failedAt === undefined) return own$;
    // It works as long as it does not fail.
    const works$ = timer(AGAIN_AFTER_MS).pipe(map(works));
    return merge(own$, works$);
  }).pipe(
    catchError((error: unknown) => {
      if (isOver()) return throwError(() => error);
      failedAt ??= timeOfDayMs();
      const text = `Rule ${nameOf(rule)} failed, and starts anew in ${AGAIN_AFTER_MS / 1_000} s`;
      defaultMonitor.report({ what: 'alerts.rule', about: nameOf(rule), ...withCause(text, error) });
      const event = failure('firing', `Rule ${nameOf(rule)} failed: ${describeError(error)}.`);
      return merge(
        of(event),
        throwError(() => error),
      );
    }),
    retry({ delay: (error) => (isOver() ? throwError(() => error) : timer(AGAIN_AFTER_MS)) }),
  );
}

function nameOf(rule: { readonly name: string; readonly ruleName?: unknown }): string {
  return typeof rule.ruleName === 'string' ? rule.ruleName : rule.name || 'without a name';
}
