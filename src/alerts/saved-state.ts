import type { Labels } from '../core/monitor.js';
import { fingerprintOf } from './alert.js';
import { type AlertBook, RESOLVED_FOR_MS } from './alert-book.js';

/** An alert of an earlier process that no rule mentions for so long is forgotten. */
const ORPHANED_AFTER_MS = 3_600_000;

interface Saved {
  readonly version: 1;
  readonly alerts: readonly {
    readonly labels: Labels;
    readonly annotations: Labels;
    readonly startsAt: number;
    readonly endsAt: number | null;
  }[];
  readonly sent: readonly {
    readonly receiver: string;
    readonly group: string;
    readonly firing: readonly string[];
    readonly resolved: readonly string[];
    /** A date. */
    readonly at: number;
  }[];
}

export interface Moment {
  /** Of the monotonic clock. */
  readonly now: number;
  /** In milliseconds since 1970. */
  readonly date: number;
}

/** The book as text, for the next process. */
export function saved(book: AlertBook, { now, date }: Moment): string {
  const state: Saved = {
    version: 1,
    alerts: [...book.alerts.values()].map(({ labels, annotations, startsAt, endsAt }) => {
      return { labels, annotations, startsAt, endsAt: endsAt ?? null };
    }),
    sent: [...book.sent].flatMap(([receiver, byGroup]) =>
      [...byGroup].map(([group, { firing, resolved, sentMs }]) => {
        return { receiver, group, firing, resolved, at: date - (now - sentMs) };
      }),
    ),
  };
  return `${JSON.stringify(state)}\n`;
}

/**
 * Puts into the book what an earlier process has saved. Dates that lie in the future, since a clock was set, count as now.
 *
 * Fails: throws an `Error` that says what is wrong with the text; the book is then as it was.
 */
export function restore(book: AlertBook, text: string, { now, date }: Moment): void {
  const state = JSON.parse(text) as Saved;
  const isOurs = state?.version === 1 && Array.isArray(state.alerts) && Array.isArray(state.sent);
  if (!isOurs || !state.alerts.every(isAlert) || !state.sent.every(isSent)) throw new Error('it is no state of alerts');
  for (const { labels, annotations, startsAt, endsAt } of state.alerts) {
    const ago = endsAt === null ? 0 : Math.min(RESOLVED_FOR_MS, Math.max(0, date - endsAt));
    book.alerts.set(fingerprintOf(labels), {
      labels,
      annotations,
      startsAt,
      endsAt: endsAt ?? undefined,
      endedMs: endsAt === null ? undefined : now - ago,
      orphanedMs: endsAt === null ? now + ORPHANED_AFTER_MS : undefined,
    });
  }
  for (const { receiver, group, firing, resolved, at } of state.sent) {
    const byGroup = book.sent.get(receiver) ?? new Map();
    book.sent.set(receiver, byGroup);
    byGroup.set(group, { firing, resolved, sentMs: now - Math.max(0, date - at) });
  }
}

function isAlert(one: unknown): boolean {
  const { labels, annotations, startsAt, endsAt } = one as Saved['alerts'][number];
  return (
    areTexts(labels) &&
    areTexts(annotations) &&
    Number.isFinite(startsAt) &&
    (endsAt === null || Number.isFinite(endsAt))
  );
}

function areTexts(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).every((text) => typeof text === 'string');
}

function isSent(one: unknown): boolean {
  const { receiver, group, firing, resolved, at } = one as Saved['sent'][number];
  return (
    [receiver, group].every((text) => typeof text === 'string') &&
    Array.isArray(firing) &&
    Array.isArray(resolved) &&
    Number.isFinite(at)
  );
}
