import { hostname, networkInterfaces } from 'node:os';
import { timeOfDayMs } from '../core/clock.js';
import { OptionError, SinkError } from '../core/errors.js';
import { expectOneOf, expectText, expectWhole, withDefaults } from '../core/options.js';
import type { Delivery } from '../delivery/delivery.js';
import type { FlumeEvent } from '../formats/flume-event.js';
import { bucketSegment } from '../sinks/files/buckets/bucket.js';
import { TIME_ESCAPES } from './path-escapes.js';
import { type ZoneTime, zoneClock } from './zone-time.js';

export interface FlumePathOptions {
  /** Which clocks the time is of: a zone of the IANA database. Default `UTC`; Flume's own default is that of the agent's machine. */
  readonly timeZone?: string;
  /** Rounds the time down, as `hdfs.round` does. Default: to the millisecond, that is not at all. */
  readonly round?: { readonly value: number; readonly unit: 'second' | 'minute' | 'hour' };
  /** `header`: the event's header `timestamp`. `arrival`: the time of writing, as `hdfs.useLocalTimeStamp` has it. Default `header`. */
  readonly time?: 'header' | 'arrival';
}

/** The defaults of `flumePath`. */
export const FLUME_PATH_DEFAULTS = {
  timeZone: 'UTC',
  round: { value: 1, unit: 'second' },
  time: 'header',
} as const satisfies FlumePathOptions;

/** What the parts of a path are made of. */
interface Moment {
  readonly event: FlumeEvent;
  readonly time: ZoneTime;
}

interface Part {
  readonly needsTime: boolean;
  text(moment: Moment): string;
}

/** Source: Flume 1.11, `BucketPath.TAG_REGEX`. */
const ESCAPE = /%(\w|%)|%\{([\w.-]+)\}|%\[(\w+)\]/g;
const UNITS_MS = { second: 1_000, minute: 60_000, hour: 3_600_000 } as const;
/** How many of a unit the next larger one has: rounding starts anew there. */
const CIRCLES = { second: 60, minute: 60, hour: 24 } as const;

/**
 * The bucket of an event by a pattern of Flume's HDFS sink, for `path` of `fileSink`: `%Y`, `%m` and the other letters are the event's time,
 * `%{name}` is a header. Where Flume and this differ: a header's value is one segment, whatever it holds (`bucketSegment`), so it
 * makes no folders and leaves none; a segment that is empty is `%00`; a letter that Flume does not know is an error here.
 *
 * ```ts
 * import { fileSink, flumeText } from 'rxflume';
 * import { localDisk } from 'rxflume/drivers/local-disk';
 * import { flumePath } from 'rxflume/flume';
 *
 * export const lake = fileSink(localDisk(), {
 *   root: '/lake/logs',
 *   path: flumePath('app=%{app}/%Y-%m-%d/%H%M', { timeZone: 'Europe/Berlin', round: { value: 10, unit: 'minute' } }),
 *   format: flumeText(),
 * });
 * ```
 *
 * Fails: `OptionError` at the call for an escape, a zone or a rounding that does not exist. The function throws `SinkError`
 * (`RXF_SINK_BUCKET`), which nacks the event alone, where the time is needed and the header `timestamp` is no time; Flume's sink
 * stops there for good.
 * Source: Flume 1.11, `BucketPath`, `TimestampRoundDownUtil`.
 */
export function flumePath(
  pattern: string,
  options: FlumePathOptions = {},
): (event: FlumeEvent, delivery?: Delivery<FlumeEvent>, at?: () => Date) => string {
  const { timeZone, round, time } = withDefaults('flumePath options', FLUME_PATH_DEFAULTS, options);
  expectText('pattern', pattern);
  expectText('timeZone', timeZone);
  expectOneOf('time', time, ['header', 'arrival']);
  expectOneOf('round.unit', round.unit, ['second', 'minute', 'hour']);
  expectWhole('round.value', round.value, 1, CIRCLES[round.unit] - 1);
  const clockOf = zoneClock(timeZone);
  const segments = pattern.split('/').filter(Boolean).map(partsOf);
  const needsTime = segments.flat().some((part) => part.needsTime);
  const step = options.round === undefined ? 0 : round.value;
  return (event, _delivery, at) => {
    const ms = !needsTime ? 0 : time === 'arrival' ? (at?.().getTime() ?? timeOfDayMs()) : timestampOf(event, pattern);
    const moment = { event, time: rounded(clockOf(ms), step, round.unit) };
    return segments.map((parts) => parts.map((part) => part.text(moment)).join('') || bucketSegment('')).join('/');
  };
}

function partsOf(segment: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const found of segment.matchAll(ESCAPE)) {
    parts.push(literal(segment.slice(end, found.index)), partOf(found));
    end = found.index + found[0].length;
  }
  return [...parts, literal(segment.slice(end))];
}

function literal(text: string): Part {
  return { needsTime: false, text: () => text };
}

function partOf([whole, letter = '', header, place = '']: RegExpMatchArray): Part {
  if (letter === '%') return literal('%');
  if (letter === 't') return { needsTime: true, text: ({ event }) => headerText(event, 'timestamp') };
  const shown = Object.hasOwn(TIME_ESCAPES, letter) ? TIME_ESCAPES[letter] : undefined;
  if (shown !== undefined) return { needsTime: true, text: ({ time }) => shown(time) };
  if (header !== undefined) return { needsTime: false, text: ({ event }) => headerText(event, header) };
  const here = machineName(place);
  if (here !== undefined) return literal(bucketSegment(here));
  const known = `%${Object.keys(TIME_ESCAPES).join(', %')}, %t, %%, %{header}, %[localhost], %[IP], %[FQDN]`;
  const message = `Expected the pattern of a path to have only escapes of Flume (${known}), got \`${whole}\`.`;
  throw new OptionError('RXF_OPTION_INVALID', message, { details: { escape: whole } });
}

/** A header as a part of a segment; nothing where it is missing, as Flume has it. */
function headerText({ headers }: FlumeEvent, name: string): string {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  return value === undefined || value === '' ? '' : bucketSegment(value);
}

/** What Flume writes for `%[localhost]`, `%[IP]` and `%[FQDN]`. */
function machineName(what: string): string | undefined {
  if (what === 'localhost' || what === 'FQDN') return hostname();
  return what === 'IP' ? hostAddress() : undefined;
}

/** The first address of this machine that others may reach; its loopback address where there is none. */
export function hostAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}

const TIMESTAMP = /^\d{1,15}$/;

/**
 * The time of an event in milliseconds since 1970: its header `timestamp`, or now where that is missing or no time; the key that Flume's HDFS
 * sink writes to a SequenceFile.
 *
 * ```ts
 * import { eventTimeMs } from 'rxflume/flume';
 *
 * eventTimeMs({ headers: { timestamp: '1700000000000' }, body: Buffer.from('hi') }); // → 1700000000000
 * ```
 *
 * Source: Flume 1.11, `HDFSWritableSerializer.getKey`.
 */
export function eventTimeMs({ headers: { timestamp = '' } }: FlumeEvent): number {
  return TIMESTAMP.test(timestamp) ? Number(timestamp) : timeOfDayMs();
}

function timestampOf({ headers }: FlumeEvent, pattern: string): number {
  const { timestamp = '' } = headers;
  if (TIMESTAMP.test(timestamp)) return Number(timestamp);
  throw new SinkError(
    'RXF_SINK_BUCKET',
    `The path \`${pattern}\` needs the time of the event, and its header \`timestamp\` is ${timestamp === '' ? 'missing' : 'not in milliseconds since 1970'}. ` +
      "Set it before the sink with timestampHeader(), or give flumePath `time: 'arrival'`.",
    { details: { timestamp } },
  );
}

/** Floors in the zone, from the begin of the next larger unit. */
function rounded(time: ZoneTime, value: number, unit: keyof typeof UNITS_MS): ZoneTime {
  if (value === 0) return time;
  const unitMs = UNITS_MS[unit];
  const local = time.local.getTime();
  const units = Math.floor(local / unitMs);
  const inCircle = units % CIRCLES[unit];
  const floor = (units - (inCircle % value)) * unitMs;
  return { ...time, ms: time.ms - (local - floor), local: new Date(floor) };
}
