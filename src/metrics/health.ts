import { type Culprit, culpritOf } from './culprit.js';
import { type FlowStatus, oldestOf, type SourceStatus } from './status.js';

export interface HealthLimits {
  /** How long a flow may go without progress while there is a backlog, until `/livez` fails, in milliseconds. */
  readonly maxNoProgressMs: number;
  /** How old the oldest unsettled record may be until `/readyz` fails, in milliseconds. */
  readonly maxAgeMs: number;
}

/** What is wrong with a flow. */
export interface HealthReason {
  readonly flow: string;
  readonly what: 'no-progress' | 'not-running' | 'not-connected' | 'not-reading' | 'too-old';
  readonly message: string;
  /** Where records wait, of `no-progress` and `too-old`. */
  readonly culprit?: Culprit;
}

/** Whether all is well, and if not, why. */
export interface Health {
  readonly ok: boolean;
  readonly reasons: readonly HealthReason[];
}

/**
 * Whether the process is worth keeping: it fails where a restart may help. Lag alone is no reason.
 *
 * ```ts
 * import { defaultMonitor } from 'rxflume';
 * import { livenessOf, statusOf } from 'rxflume/metrics';
 *
 * export function whyRestart(): string[] {
 *   const limits = { maxNoProgressMs: 600_000, maxAgeMs: 900_000 };
 *   return livenessOf(statusOf(defaultMonitor), limits).reasons.map(({ message }) => message);
 * }
 * ```
 */
export function livenessOf(flows: readonly FlowStatus[], { maxNoProgressMs }: HealthLimits): Health {
  const reasons = flows.flatMap((status) =>
    status.sources
      .filter(({ noProgressSeconds = 0 }) => noProgressSeconds * 1_000 > maxNoProgressMs)
      .map((source): HealthReason => {
        const seconds = Math.round(source.noProgressSeconds ?? 0);
        const culprit = culpritOf(status);
        const message = `${nameOf(source)} has had a backlog and no progress for ${seconds} s. ${culprit.message}`;
        return { flow: status.flow, what: 'no-progress', message, culprit };
      }),
  );
  return { ok: reasons.length === 0, reasons };
}

/**
 * Whether all flows are connected and do their work. A flow that has completed, or was never started, is not ready; one that is paused
 * is.
 *
 * ```ts
 * import { defaultMonitor } from 'rxflume';
 * import { readinessOf, statusOf } from 'rxflume/metrics';
 *
 * export function whyNotReady(): string[] {
 *   const limits = { maxNoProgressMs: 600_000, maxAgeMs: 900_000 };
 *   return readinessOf(statusOf(defaultMonitor), limits).reasons.map(({ message }) => message);
 * }
 * ```
 */
export function readinessOf(flows: readonly FlowStatus[], { maxAgeMs }: HealthLimits): Health {
  const reasons = flows.flatMap((status) => [
    ...notRunning(status),
    ...notReading(status),
    ...tooOld(status, maxAgeMs),
  ]);
  if (flows.length === 0) {
    reasons.push({ flow: '', what: 'not-running', message: 'No flow has been started in this process.' });
  }
  return { ok: reasons.length === 0, reasons };
}

function notRunning({ flow, state }: FlowStatus): HealthReason[] {
  // Somebody paused it, and can resume it only where the process can be reached.
  if (state === undefined || state === 'running' || state === 'paused') return [];
  return [{ flow, what: 'not-running', message: `Flow ${flow} is not running: it is ${state}.` }];
}

function notReading({ flow, state, sources }: FlowStatus): HealthReason[] {
  if (state !== undefined && state !== 'running') return [];
  if (state === 'running' && sources.length === 0) {
    return [{ flow, what: 'not-connected', message: `Flow ${flow} has no source that reports its connection.` }];
  }
  return sources.flatMap((source): HealthReason[] => {
    const name = nameOf(source);
    if (source.joined !== 1) return [{ flow, what: 'not-connected', message: `${name} is not connected.` }];
    if (source.interrupted !== 1) return [];
    return [{ flow, what: 'not-reading', message: `${name} cannot read or commit some of its partitions.` }];
  });
}

function tooOld(status: FlowStatus, maxAgeMs: number): HealthReason[] {
  if (status.state === 'paused') return [];
  const oldest = oldestOf(status);
  if (oldest === undefined || oldest.ageSeconds * 1_000 <= maxAgeMs) return [];
  const { stream, ageSeconds } = oldest;
  const culprit = culpritOf(status);
  const message = `The oldest unsettled record of ${stream} is ${Math.round(ageSeconds)} s old. ${culprit.message}`;
  return [{ flow: status.flow, what: 'too-old', message, culprit }];
}

function nameOf({ source, name }: SourceStatus): string {
  return `Source ${source} (${name})`;
}
