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
        const message = `${nameOf(source)} has had a backlog and no progress for ${seconds} s. ${whereItWaits(status)}`;
        return { flow: status.flow, what: 'no-progress', message };
      }),
  );
  return { ok: reasons.length === 0, reasons };
}

/**
 * Whether all flows are connected and do their work. A flow that has completed, or was never started, is not ready.
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

/**
 * Where the oldest unsettled records of a flow are, as far as the metrics say: in a call of a sink that is not answered, in a file
 * or transaction that is open, or in an operator. Of an operator it is known only that no sink is waiting.
 */
export function whereItWaits({ sources, sinks }: FlowStatus): string {
  const calls = sinks.flatMap(({ sink, to, waitingSeconds }) =>
    Object.entries(waitingSeconds).map(([call, seconds]) => ({ sink: `sink ${sink} (${to})`, call, seconds })),
  );
  const [oldest] = calls.sort((a, b) => b.seconds - a.seconds);
  if (oldest !== undefined) {
    return `A ${oldest.call} of ${oldest.sink} has been unanswered for ${oldest.seconds.toFixed(1)} s.`;
  }
  if (sources.some(({ interrupted }) => interrupted === 1)) return 'A source cannot read or commit some partitions.';
  if (sources.some(({ inFlight = 0 }) => inFlight > 0)) {
    return 'No call of a sink is unanswered, so records wait in an operator, or in a sink that gathers a batch or file.';
  }
  if (sinks.some(({ openFiles = 0 }) => openFiles > 0))
    return 'Records are in open files, which are published at the next roll.';
  return 'No record is in flight, so the source waits for its broker.';
}

function notRunning({ flow, state }: FlowStatus): HealthReason[] {
  if (state === undefined || state === 'running') return [];
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
  const oldest = oldestOf(status);
  if (oldest === undefined || oldest.ageSeconds * 1_000 <= maxAgeMs) return [];
  const { stream, ageSeconds } = oldest;
  const message = `The oldest unsettled record of ${stream} is ${Math.round(ageSeconds)} s old. ${whereItWaits(status)}`;
  return [{ flow: status.flow, what: 'too-old', message }];
}

function nameOf({ source, name }: SourceStatus): string {
  return `Source ${source} (${name})`;
}
