import { timeOfDayMs } from '../../core/clock.js';
import { describeError, type SourceError, shortName } from '../../core/errors.js';
import type { Failure } from '../../core/monitor.js';
import { drainTimeoutError } from '../../lifecycle/settling.js';
import type { Intake, Received } from './intake.js';
import type { Nack } from './request-acker.js';

interface NackText {
  readonly what: string;
  /** What follows from it, or what to do. */
  readonly next: string;
}

export function nackText<T>({ words, whenNacked }: Intake<T>, client: string, count: number, nack: Nack): NackText {
  const what = `${count} ${words.values} that ${client} sent were nacked at offset ${nack.offset} (${describeError(nack.cause)})`;
  if (whenNacked !== 'stop') return { what, next: `${words.afterNack}.` };
  const next = `No client can be asked to send them again. Route nacks to a dead letter, or set \`whenNacked: 'drop'\`.`;
  return { what, next };
}

export function nackReport(client: string, count: number, { cause }: Nack, { what, next }: NackText): Failure {
  const addition = `${count} values of ${client} were nacked, because of ${shortName(cause)}. ${next}`;
  return { what: 'RXF_SOURCE_NACKED', about: client, message: `${what}. ${next}`, addition, cause };
}

export function lossReport<T>({ kind, words, server }: Intake<T>, name: string, count: number, why: string): Failure {
  const message = `Lost ${count} ${words.values} at ${server}: ${why}.`;
  return { what: `${kind}.lost`, about: `${kind} ${name}`, message, cause: new Error(why) };
}

/** A drain whose time is over before so many values are settled. */
export function lateError<T>({ words, whenNacked }: Intake<T>, count: number, withinMs: number): SourceError {
  const next = whenNacked === undefined ? 'Their clients send them again.' : 'They may be lost.';
  return drainTimeoutError(`${count} ${words.values}`, withinMs, next);
}

/** When a request was made: the time of its first value, or now where that has none, or a later one. */
export function timeOf<T>(intake: Intake<T>, { values: [first] }: Received<T>): number {
  const now = timeOfDayMs();
  const time = (first === undefined ? undefined : intake.measure(first).timestamp) ?? now;
  return time > 0 ? Math.min(time, now) : now;
}
