import { monotonicMs, timeOfDayMs } from '../core/clock.js';
import type { LogEvent } from '../core/monitor.js';
import { expectOption, withDefaults } from '../core/options.js';
import { culpritOf } from '../metrics/culprit.js';
import type { FlowStatus, SourceStatus } from '../metrics/status.js';
import type { AlertRule } from './alert.js';
import { type AlertWhenOptions, alertWhen } from './alert-when.js';
import type { FlowSnapshot } from './flow-snapshots.js';
import { RateWindow } from './rate-window.js';

/** The limits of `builtInAlerts`; `Infinity` turns a rule off. */
export interface BuiltInAlertsOptions {
  /** `DataTooOld`: how old the oldest unsettled record may be. Default 1,800,000. */
  readonly maxAgeMs?: number;
  /** `NoProgress`: how long a source may have a backlog and no progress. Default 60,000. */
  readonly maxNoProgressMs?: number;
  /** `RetentionHeadroom`: how long it must be until retention may delete an unsettled record. Default 21,600,000. */
  readonly minHeadroomMs?: number;
  /** `Nacks`: how many records may be nacked in 15 minutes. Default 100. */
  readonly maxNacks?: number;
  /** `DeadLetters`: how many values may be set aside in 15 minutes, for each reason. Default 100. */
  readonly maxDeadLetters?: number;
  /** `RebalanceStorm`: how many rebalances there may be in 15 minutes. Default 10. */
  readonly maxRebalances?: number;
}

/** The defaults of `builtInAlerts`. */
export const BUILT_IN_ALERTS_DEFAULTS = {
  maxAgeMs: 1_800_000,
  maxNoProgressMs: 60_000,
  minHeadroomMs: 21_600_000,
  maxNacks: 100,
  maxDeadLetters: 100,
  maxRebalances: 10,
} as const;

const WINDOW_MS = 900_000;
/** How long what was logged once counts, if nothing says that it is over. */
const LOGGED_FOR_MS = 600_000;

/**
 * The rules that every flow should have: age, progress, headroom, nacks, dead letters, rebalances, a flow that ended with an
 * error, an open circuit breaker, a full disk or HDFS quota, a problem of the ledger.
 *
 * ```ts
 * import { alerts, builtInAlerts, flowSnapshots, logReceiver, notify } from 'rxflume/alerts';
 *
 * alerts(flowSnapshots(), builtInAlerts({ maxAgeMs: 900_000 }))
 *   .pipe(notify({ receivers: [logReceiver()] }))
 *   .subscribe();
 * ```
 *
 * Bounds: those of `alertWhen` for each rule; up to 62 readings for each counter.
 * Fails: `OptionError` at the call.
 */
export function builtInAlerts(options: BuiltInAlertsOptions = {}): AlertRule<FlowSnapshot>[] {
  const limits = withDefaults('builtInAlerts options', BUILT_IN_ALERTS_DEFAULTS, options);
  for (const [name, limit] of Object.entries(limits)) {
    expectOption(name, limit, typeof limit === 'number' && limit >= 0, 'a number from 0, or Infinity');
  }
  const rules = [
    ...[dataTooOld(limits.maxAgeMs), noProgress(limits.maxNoProgressMs), headroom(limits.minHeadroomMs)],
    ...[
      increasing('Nacks', limits.maxNacks, nacks),
      increasing('DeadLetters', limits.maxDeadLetters, deadLetters),
      increasing('RebalanceStorm', limits.maxRebalances, rebalances),
    ],
    flowStopped(),
    ...[...LOGGED].map(([name, rule]) => logged(name, rule)),
  ];
  return rules.filter((rule) => rule !== null);
}

interface Of<S> {
  readonly status: FlowStatus;
  readonly value: S;
}

/** A sample for each flow. */
function perFlow<S>(value: (status: FlowStatus) => S): (snapshot: FlowSnapshot) => Of<S>[] {
  return ({ flows }) => flows.map((status) => ({ status, value: value(status) }));
}

function perSource({ flows }: FlowSnapshot): Of<SourceStatus>[] {
  return flows.flatMap((status) => status.sources.map((value) => ({ status, value })));
}

const flowLabels = ({ status }: Of<unknown>) => ({ flow: status.flow });
const sourceLabels = ({ status, value }: Of<SourceStatus>) => ({
  flow: status.flow,
  source: value.source,
  name: value.name,
});

function rule<S>(options: AlertWhenOptions<FlowSnapshot, S>): AlertRule<FlowSnapshot> {
  return alertWhen<FlowSnapshot, S>(options);
}

function dataTooOld(maxAgeMs: number): AlertRule<FlowSnapshot> | null {
  if (maxAgeMs === Number.POSITIVE_INFINITY) return null;
  return rule<Of<number>>({
    name: 'DataTooOld',
    severity: 'critical',
    of: perFlow(oldestMs),
    labels: flowLabels,
    when: ({ value }) => value > maxAgeMs,
    annotations: ({ status, value }) => ({
      summary: `The oldest record of ${status.flow} that is not stored is ${seconds(value)} s old, more than ${seconds(maxAgeMs)} s.`,
      description: culpritOf(status).message,
    }),
  });
}

/** Where nothing waits it is 0. */
function oldestMs({ sources }: FlowStatus): number {
  const dates = sources.flatMap(({ streams }) => streams.map(({ oldestUnsettledSeconds }) => oldestUnsettledSeconds));
  const known = dates.filter((date) => date !== undefined);
  return known.length === 0 ? 0 : Math.max(0, timeOfDayMs() - Math.min(...known) * 1_000);
}

function noProgress(maxNoProgressMs: number): AlertRule<FlowSnapshot> | null {
  if (maxNoProgressMs === Number.POSITIVE_INFINITY) return null;
  return rule({
    name: 'NoProgress',
    severity: 'critical',
    of: perSource,
    labels: sourceLabels,
    // Not measured by sources without a log: nothing to say, which is not a missing sample.
    when: ({ value: { noProgressSeconds = 0 } }) => noProgressSeconds * 1_000 > maxNoProgressMs,
    annotations: ({ status, value: { noProgressSeconds = 0, streams } }) => ({
      summary:
        `${status.flow} has had no progress for ${Math.round(noProgressSeconds)} s, with a backlog of ` +
        `${streams.reduce((sum, { backlog = 0 }) => sum + backlog, 0)} records.`,
      description: culpritOf(status).message,
    }),
  });
}

function headroom(minHeadroomMs: number): AlertRule<FlowSnapshot> | null {
  if (minHeadroomMs === Number.POSITIVE_INFINITY || minHeadroomMs === 0) return null;
  const least = ({ streams }: SourceStatus) =>
    Math.min(...streams.map(({ retentionHeadroomSeconds = Number.POSITIVE_INFINITY }) => retentionHeadroomSeconds));
  return rule({
    name: 'RetentionHeadroom',
    severity: 'critical',
    of: perSource,
    labels: sourceLabels,
    when: ({ value }) => least(value) * 1_000 < minHeadroomMs,
    annotations: ({ status, value }) => ({
      summary: `Kafka may delete records of ${status.flow} that are not stored in ${Math.round(least(value))} s.`,
      description: culpritOf(status).message,
    }),
  });
}

interface Counter {
  readonly status: FlowStatus;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | undefined;
  readonly what: string;
}

function nacks({ flows }: FlowSnapshot): Counter[] {
  return flows.flatMap((status) =>
    status.sources.map(({ source, name, nacked }) => {
      const labels = { flow: status.flow, source, name };
      return { status, labels, value: nacked, what: 'records were nacked' };
    }),
  );
}

function deadLetters({ flows }: FlowSnapshot): Counter[] {
  return flows.flatMap((status) =>
    Object.entries(status.deadLetters).map(([reason, value]) => {
      return { status, labels: { flow: status.flow, reason }, value, what: `values were set aside (${reason})` };
    }),
  );
}

function rebalances({ flows }: FlowSnapshot): Counter[] {
  return flows.flatMap((status) =>
    status.sources.map(({ source, name, rebalances: value }) => {
      return { status, labels: { flow: status.flow, source, name }, value, what: 'rebalances' };
    }),
  );
}

/** More than so many within 15 minutes. Each subscription counts on its own. */
function increasing(
  name: string,
  limit: number,
  countersOf: (snapshot: FlowSnapshot) => Counter[],
): AlertRule<FlowSnapshot> | null {
  if (limit === Number.POSITIVE_INFINITY) return null;
  return (snapshots$) => {
    const window = new RateWindow(WINDOW_MS);
    return rule({
      name,
      of: (snapshot: FlowSnapshot) => {
        const now = monotonicMs();
        window.begin(now);
        return countersOf(snapshot).map((counter) => ({
          ...counter,
          increase: window.increase(JSON.stringify(counter.labels), counter.value ?? 0, now) ?? 0,
        }));
      },
      labels: ({ labels }) => labels,
      when: ({ increase }) => increase > limit,
      annotations: ({ status, increase, what }) => ({
        summary: `${status.flow}: ${increase} ${what} within 15 minutes, more than ${limit}.`,
      }),
    })(snapshots$);
  };
}

function flowStopped(): AlertRule<FlowSnapshot> {
  return rule({
    name: 'FlowStopped',
    severity: 'critical',
    // What runs outside of a flow has no state, and so no sample.
    of: ({ flows }) => flows.filter(({ state }) => state !== undefined),
    labels: ({ flow }) => ({ flow }),
    when: ({ state }) => state === 'failed' || state === 'abandoned',
    clears: 1,
    annotations: ({ flow, state }) => ({
      summary: `${flow} has ${state === 'failed' ? 'ended with an error' : 'been abandoned'}.`,
    }),
  });
}

/** What only log events say: which of them begin it, which end it, and what it means. */
interface LoggedRule {
  readonly begins: (event: LogEvent) => boolean;
  /** Absent where no log event says that it is over. */
  readonly ends?: (event: LogEvent) => boolean;
  readonly summary: string;
}

const LOGGED: ReadonlyMap<string, LoggedRule> = new Map([
  [
    'BreakerOpen',
    {
      begins: ({ what }) => what === 'write.suspended',
      ends: ({ what }) => what === 'write.resumed',
      summary: 'Writes keep failing: the circuit breaker is open, and all writes wait.',
    },
  ],
  [
    'StorageFull',
    {
      begins: ({ what }) => what === 'RXF_FILES_FULL',
      summary: 'The storage is full, or a quota is used up.',
    },
  ],
  [
    'LedgerProblem',
    {
      begins: ({ what, level }) => /^(RXF_LEDGER_|ledger\.|files\.quarantined)/.test(what) && level !== 'info',
      summary: 'The ledger has a problem.',
    },
  ],
] satisfies [string, LoggedRule][]);

/** Holds from the log event that begins it until the one that ends it; one that nothing ends, until it is 10 minutes old. */
function logged(name: string, { begins, ends, summary }: LoggedRule): AlertRule<FlowSnapshot> {
  return (snapshots$) => {
    let last: { readonly message: string; readonly at: number } | undefined;
    return rule({
      name,
      severity: 'critical',
      of: ({ logEvents }: FlowSnapshot) => {
        const now = monotonicMs();
        for (const event of logEvents) {
          if (begins(event)) last = { message: event.message, at: now };
          else if (ends?.(event) === true) last = undefined;
        }
        if (last !== undefined && ends === undefined && now - last.at >= LOGGED_FOR_MS) last = undefined;
        return [last];
      },
      when: (one) => one !== undefined,
      annotations: (one) => ({ summary, description: one?.message ?? '' }),
    })(snapshots$);
  };
}

function seconds(ms: number): number {
  return Math.round(ms / 1_000);
}
