import { createHash } from 'node:crypto';
import type { ObservableInput } from 'rxjs';
import type { Labels } from '../core/monitor.js';
import { fingerprintOf } from './alert.js';

/** An alert as receivers get it. */
export interface NotifiedAlert {
  readonly status: 'firing' | 'resolved';
  readonly labels: Labels;
  readonly annotations: Labels;
  /** In milliseconds since 1970. */
  readonly startsAt: number;
  /** Absent while it fires. */
  readonly endsAt?: number | undefined;
  /** The same for the same labels. */
  readonly fingerprint: string;
}

/** What a receiver is given at once: the alerts of a group, or all of them. */
export interface Notification {
  /** `resolved` where none of the alerts fires. */
  readonly status: 'firing' | 'resolved';
  readonly groupKey: string;
  readonly groupLabels: Labels;
  readonly alerts: readonly NotifiedAlert[];
}

/** Where alerts go. */
export interface Receiver {
  /** For log events and metrics, and in the saved state: unique among receivers. No secret. */
  readonly name: string;
  /**
   * Absent: it gets each group when something is new in it. Present: it groups by itself, and gets all alerts that fire, or were
   * resolved within 15 minutes, at once and again after each so many milliseconds.
   */
  readonly resendIntervalMs?: number;
  /**
   * Completes when the notification has been accepted. It is called again after an error that is retryable.
   */
  send(notification: Notification): ObservableInput<unknown>;
}

/** A short text that is the same for the same labels. */
export function shortFingerprint(labels: Labels): string {
  return createHash('sha256').update(fingerprintOf(labels)).digest('hex').slice(0, 16);
}

/** What all have in common. */
export function commonOf(all: readonly Labels[]): Labels {
  const [first = {}, ...rest] = all;
  return Object.fromEntries(Object.entries(first).filter(([name, value]) => rest.every((one) => one[name] === value)));
}
