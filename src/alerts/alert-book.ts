import type { Labels } from '../core/monitor.js';
import { type AlertEvent, fingerprintOf } from './alert.js';
import { type Notification, type NotifiedAlert, type Receiver, shortFingerprint } from './receiver.js';
import { isSilenced, type Silence } from './silence.js';

/** An alert that fires, or was resolved a short time ago. Moments are of the monotonic clock, the rest dates. */
export interface KeptAlert {
  readonly labels: Labels;
  annotations: Labels;
  startsAt: number;
  endsAt: number | undefined;
  /** When it was resolved. */
  endedMs: number | undefined;
  /** Until when a rule must mention an alert of an earlier process; undefined once one has. */
  orphanedMs: number | undefined;
}

/** What a receiver has accepted last of a group, by fingerprints. */
export interface Sent {
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  readonly sentMs: number;
}

/** As Prometheus has it: for so long a resolved alert is reported as such. */
export const RESOLVED_FOR_MS = 900_000;
const MAX_ALERTS = 10_000;

/**
 * All alerts that receivers should know of, and what each has accepted. Decides whether a group is reported to a receiver:
 * something fires that is new to it; something is resolved that was reported to it as firing; or the last report is long ago.
 *
 * Pure: the caller gives the time. Bounds: 10,000 alerts, and what each receiver has accepted last of each group.
 */
export class AlertBook {
  readonly alerts = new Map<string, KeptAlert>();
  /** By receiver and group. */
  readonly sent = new Map<string, Map<string, Sent>>();
  readonly #groupBy: readonly string[];
  /** Alerts that were left out since there are too many. */
  dropped = 0;

  constructor(groupBy: readonly string[]) {
    this.#groupBy = groupBy;
  }

  get firing(): number {
    let count = 0;
    for (const { endsAt } of this.alerts.values()) if (endsAt === undefined) count += 1;
    return count;
  }

  /** The group whose alerts have changed; undefined where none has. */
  take({ labels, annotations, isFiring, state, startsAt, at }: AlertEvent, now: number): string | undefined {
    const key = fingerprintOf(labels);
    const known = this.alerts.get(key);
    // Until it is known whether it fires, what an earlier process has said of it counts.
    if (known !== undefined) known.orphanedMs = undefined;
    if (isFiring) {
      if (known !== undefined && known.endsAt === undefined) {
        known.annotations = annotations;
        return undefined;
      }
      if (known === undefined && this.alerts.size >= MAX_ALERTS) {
        this.dropped += 1;
        return undefined;
      }
      this.alerts.set(key, {
        labels,
        annotations,
        startsAt,
        endsAt: undefined,
        endedMs: undefined,
        orphanedMs: undefined,
      });
      return this.groupKeyOf(labels);
    }
    if (known === undefined || known.endsAt !== undefined || (state !== 'resolved' && state !== 'inactive'))
      return undefined;
    known.endsAt = at;
    known.endedMs = now;
    return this.groupKeyOf(labels);
  }

  groupKeyOf(labels: Labels): string {
    return fingerprintOf(this.groupLabelsOf(labels));
  }

  groupLabelsOf(labels: Labels): Labels {
    return Object.fromEntries(
      this.#groupBy.flatMap((name) => (labels[name] === undefined ? [] : [[name, labels[name]]])),
    );
  }

  /** Forgets what was resolved long ago, and what no rule has mentioned since the restart: the labels of the latter. */
  sweep(now: number): Labels[] {
    const orphans: Labels[] = [];
    for (const [key, { labels, endedMs, orphanedMs }] of this.alerts) {
      const isOrphan = orphanedMs !== undefined && now >= orphanedMs;
      if (isOrphan) orphans.push(labels);
      if (isOrphan || (endedMs !== undefined && now - endedMs >= RESOLVED_FOR_MS)) this.alerts.delete(key);
    }
    const groups = this.groups();
    for (const byGroup of this.sent.values()) {
      for (const key of byGroup.keys()) if (!groups.has(key)) byGroup.delete(key);
    }
    return orphans;
  }

  groups(): Set<string> {
    return new Set([...this.alerts.values()].map(({ labels }) => this.groupKeyOf(labels)));
  }

  /** What a receiver that groups by itself should get: all, but what is silenced. */
  everything(silences: readonly Silence[], date: number): Notification | undefined {
    const alerts = [...this.alerts.values()].filter(({ labels }) => !isSilenced(labels, silences, date)).map(notified);
    return alerts.length === 0 ? undefined : { status: statusOf(alerts), groupKey: '', groupLabels: {}, alerts };
  }

  /** What is to be reported of a group to a receiver now; undefined where it knows all of it. */
  news(
    { name }: Receiver,
    groupKey: string,
    when: { readonly now: number; readonly date: number; readonly repeatIntervalMs: number },
    silences: readonly Silence[],
  ): Notification | undefined {
    const own = [...this.alerts.values()].filter(({ labels }) => this.groupKeyOf(labels) === groupKey);
    const heard = own.filter(({ labels }) => !isSilenced(labels, silences, when.date)).map(notified);
    const reported = this.sent.get(name)?.get(groupKey);
    const firing = heard.filter(({ status }) => status === 'firing');
    // What was never reported to it need not be resolved.
    const resolved = heard.filter(
      ({ status, fingerprint }) => status === 'resolved' && reported?.firing.includes(fingerprint),
    );
    const isNew = firing.some(({ fingerprint }) => !reported?.firing.includes(fingerprint));
    const isDue = firing.length > 0 && reported !== undefined && when.now - reported.sentMs >= when.repeatIntervalMs;
    if (!isNew && !isDue && resolved.length === 0) return undefined;
    const alerts = [...firing, ...resolved];
    const groupLabels = this.groupLabelsOf((own[0] as KeptAlert).labels);
    return { status: statusOf(alerts), groupKey, groupLabels, alerts };
  }

  /** A receiver has accepted it. */
  accepted({ name }: Receiver, { groupKey, alerts }: Notification, now: number): void {
    const byGroup = this.sent.get(name) ?? new Map<string, Sent>();
    this.sent.set(name, byGroup);
    const of = (wanted: string) =>
      alerts.filter(({ status }) => status === wanted).map(({ fingerprint }) => fingerprint);
    byGroup.set(groupKey, { firing: of('firing'), resolved: of('resolved'), sentMs: now });
  }
}

function notified({ labels, annotations, startsAt, endsAt }: KeptAlert): NotifiedAlert {
  const status = endsAt === undefined ? 'firing' : 'resolved';
  return { status, labels, annotations, startsAt, endsAt, fingerprint: shortFingerprint(labels) };
}

function statusOf(alerts: readonly NotifiedAlert[]): 'firing' | 'resolved' {
  return alerts.some(({ status }) => status === 'firing') ? 'firing' : 'resolved';
}
