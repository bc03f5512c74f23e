import { concat, defer, Subject, take, takeUntil, tap } from 'rxjs';
import { type AlertEvent, alerts, flowSnapshots, logReceiver, notify } from '../alerts/index.js';
import { defaultMonitor } from '../core/monitor.js';
import type { AlertsFile } from './alerts-file.js';
import type { ConsoleLog } from './console-log.js';

/**
 * Runs rules and receivers beside a flow. `end` looks once more, so that a flow that failed is reported, and settles when receivers
 * know, or `drainTimeoutMs` is over. `seen$` gets each alert too. Whatever fails here is logged, and ends no flow.
 */
export function watchAlerts(
  { rules, receivers, options }: AlertsFile,
  log: ConsoleLog,
  seen$: Subject<AlertEvent>,
): { end(): Promise<void> } {
  const { intervalMs, ...notifyOptions } = options;
  const every = intervalMs === undefined ? {} : { intervalMs };
  const stop$ = new Subject<void>();
  const over$ = new Subject<void>();
  const last$ = defer(() => flowSnapshots(every).pipe(take(1)));
  const snapshots$ = concat(flowSnapshots(every).pipe(takeUntil(stop$)), last$).pipe(
    tap({ complete: () => over$.next() }),
  );
  const all = receivers.length === 0 ? [logReceiver()] : receivers;
  let ended: () => void = () => undefined;
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const alerts$ = alerts(snapshots$, rules).pipe(
    tap((alert) => seen$.next(alert)),
    takeUntil(over$),
  );
  alerts$.pipe(notify({ ...notifyOptions, receivers: all })).subscribe({
    error: (cause: unknown) => {
      defaultMonitor.report({
        what: 'alerts.failed',
        message: 'Alerts have failed; the flow goes on without.',
        cause,
      });
      ended();
    },
    complete: () => ended(),
  });
  return {
    end: () => {
      // The log of the run has ended.
      const shown = defaultMonitor.logEvents$.subscribe(({ level, what, message, details }) =>
        log.say(level, what, message, details),
      );
      stop$.next();
      return end.then(() => shown.unsubscribe());
    },
  };
}
