import { Observable, timer } from 'rxjs';
import { defaultMonitor, type LogEvent, type Monitor } from '../core/monitor.js';
import { expectMs, expectOption, withDefaults } from '../core/options.js';
import { type FlowStatus, statusOf } from '../metrics/status.js';

/** All flows at one moment, and what was logged since the snapshot before. */
export interface FlowSnapshot {
  readonly flows: readonly FlowStatus[];
  readonly logEvents: readonly LogEvent[];
}

export interface FlowSnapshotsOptions {
  /** The interval between snapshots. Default 5,000. */
  readonly intervalMs?: number;
  readonly monitor?: Monitor;
}

/** The defaults of `flowSnapshots`. */
export const FLOW_SNAPSHOTS_DEFAULTS = { intervalMs: 5_000, monitor: defaultMonitor } as const;

const MAX_LOG_EVENTS = 1_000;

/**
 * What the rules of `builtInAlerts` look at: a snapshot at once, and one each `intervalMs`.
 *
 * ```ts
 * import { flowSnapshots } from 'rxflume/alerts';
 *
 * export const snapshots$ = flowSnapshots({ intervalMs: 10_000 });
 * ```
 *
 * Bounds: the first 1,000 log events of an interval.
 * Fails: `OptionError` at the call.
 */
export function flowSnapshots(options: FlowSnapshotsOptions = {}): Observable<FlowSnapshot> {
  const { intervalMs, monitor } = withDefaults('flowSnapshots options', FLOW_SNAPSHOTS_DEFAULTS, options);
  expectMs('intervalMs', intervalMs, 1);
  expectOption('monitor', monitor, typeof monitor?.samples === 'function', 'a Monitor');
  return new Observable((subscriber) => {
    let logEvents: LogEvent[] = [];
    subscriber.add(
      monitor.logEvents$.subscribe((event) => {
        if (logEvents.length < MAX_LOG_EVENTS) logEvents.push(event);
      }),
    );
    subscriber.add(
      timer(0, intervalMs).subscribe(() => {
        const seen = logEvents;
        logEvents = [];
        subscriber.next({ flows: statusOf(monitor), logEvents: seen });
      }),
    );
  });
}
