import { SinkError } from '../../../core/errors.js';
import type { Origin } from '../../../delivery/delivery.js';

/** Which times of values are believed. */
export interface TimeOptions {
  /** The earliest, in milliseconds since 1970. Default 0. */
  readonly earliestMs?: number;
  /** The latest, in milliseconds since 1970. Default the end of the year 9999. */
  readonly latestMs?: number;
}

export type Now = () => number;

/**
 * The time that a value is filed by: the source's, or the time of arrival where there is none. Producers set it, so it may be
 * anything.
 *
 * Fails: `RXF_SINK_TIME` for one outside of the range, or that is no number.
 * Source: Kafka has −1 for a record without a timestamp.
 */
export function timeOf(origin: Origin, { earliestMs, latestMs }: Required<TimeOptions>, now: Now): number {
  const { timestamp } = origin;
  if (timestamp === undefined || timestamp === -1) return now();
  if (timestamp >= earliestMs && timestamp <= latestMs) return timestamp;
  throw timeError(origin, timestamp, earliestMs, latestMs);
}

const UNITS = [
  ['microseconds', 1e-3],
  ['nanoseconds', 1e-6],
  ['seconds', 1e3],
] as const;
/** What a time in the wrong unit is taken for: around now, if only the unit were right. */
const LIKELY_FROM_MS = Date.UTC(1990, 0, 1);
const LIKELY_UNTIL_MS = Date.UTC(2100, 0, 1);

function timeError(origin: Origin, timestamp: number, earliestMs: number, latestMs: number): SinkError {
  const { stream, offset } = origin;
  const unit = UNITS.find(([, factor]) => timestamp * factor >= LIKELY_FROM_MS && timestamp * factor < LIKELY_UNTIL_MS);
  const hint = unit === undefined ? '' : ` It looks like ${unit[0]}: have the producer send milliseconds.`;
  return new SinkError(
    'RXF_SINK_TIME',
    `${stream} offset ${offset} cannot be filed by its time: ${timestamp} is not from ${iso(earliestMs)} to ${iso(latestMs)}, in ` +
      `milliseconds since 1970.${hint} Set it aside with deadLetter(), widen \`times\`, or let \`path\` not use the time.`,
    { details: { stream, offset, timestamp, earliestMs, latestMs } },
  );
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
