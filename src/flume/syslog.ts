import { timeOfDayMs } from '../core/clock.js';
import { expectOneOf, expectOption, withDefaults } from '../core/options.js';
import type { FlumeEvent } from '../formats/flume-event.js';

/** What is read of a message of syslog, as `syslogSource` gives it. */
interface SyslogFields {
  readonly timestamp: number | undefined;
  readonly raw: Uint8Array;
  readonly isTruncated?: boolean;
}

/** A field that Flume can put back before the text, as `keepFields` names it. */
export type SyslogField = 'priority' | 'version' | 'timestamp' | 'hostname';

export interface SyslogEventOptions {
  /** `message`: the text behind the host. `raw`: all that came, as `keepFields = all` has it. Default `message`. */
  readonly body?: 'message' | 'raw';
  /** The fields that the body keeps before its text. Default none. */
  readonly keepFields?: readonly SyslogField[];
  /** The source whose headers these are: they differ in a few names, and in what becomes of a message that cannot be read. Default `syslogtcp`. */
  readonly source?: 'syslogtcp' | 'multiport_syslogtcp';
}

/** The defaults of `syslogEvent`. */
export const SYSLOG_EVENT_DEFAULTS = {
  body: 'message',
  keepFields: [],
  source: 'syslogtcp',
} as const satisfies SyslogEventOptions;

const FIELDS: readonly SyslogField[] = ['priority', 'version', 'timestamp', 'hostname'];
const PRIORITY = /^<(\d{1,3})>/;
/** Source: Flume 1.11, `SyslogUtils.SYSLOG_MSG_RFC5424_0` and `SYSLOG_MSG_RFC3164_0`. */
const FORMS: readonly RegExp[] = [
  /^<(\d{1,3})>(\d?)\s?(?:(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[+-]\d\d:\d\d|Z)?)|-)\s(?:(\w[\w.@-]*)|-)\s(.*)$/,
  /^<(\d{1,3})>(\d?)\s?([A-Z][a-z][a-z]\s{1,2}\d{1,2}\s\d\d:\d\d:\d\d)\s(\w[\w.@-]*)\s(.*)$/,
];
const STATUS = 'flume.syslog.status';

/**
 * For `mapValue`: a message of syslog as the event that Flume's syslog sources make of it, with the headers `Facility`, `Severity`, `priority`,
 * `version`, `timestamp` and `host`, as far as the message has them, and `flume.syslog.status` where it is `Invalid` or `Incomplete`. The body
 * begins behind the host: of RFC 5424 it has the program, the IDs and the structured data too. Where Flume and this differ: a time with fractions
 * of a second keeps its zone.
 *
 * ```ts
 * import { tcpServer } from 'rxflume/drivers/node';
 * import { syslogEvent } from 'rxflume/flume';
 * import { syslogSource } from 'rxflume/inputs';
 * import { mapValue } from 'rxflume/operators';
 *
 * export const events$ = syslogSource(tcpServer({ port: 5140 }), { name: 'hosts' }).pipe(mapValue(syslogEvent()));
 * ```
 *
 * Fails: `OptionError` at the call.
 * Source: Flume 1.11, `SyslogUtils`, `SyslogParser`.
 */
export function syslogEvent(options: SyslogEventOptions = {}): (message: SyslogFields) => FlumeEvent {
  const { body, source, ...rest } = withDefaults('syslogEvent options', SYSLOG_EVENT_DEFAULTS, options);
  const keepFields: readonly SyslogField[] = rest.keepFields;
  expectOneOf('body', body, ['message', 'raw']);
  expectOneOf('source', source, ['syslogtcp', 'multiport_syslogtcp']);
  const known = Array.isArray(keepFields) && keepFields.every((field) => FIELDS.includes(field));
  expectOption('keepFields', keepFields, known, `a list of ${FIELDS.join(', ')}`);
  const isMultiport = source === 'multiport_syslogtcp';
  return (message) => {
    const { raw, isTruncated = false } = message;
    const text = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString();
    const status = isTruncated ? { [STATUS]: 'Incomplete' } : {};
    const found = readForm(text);
    const priority = PRIORITY.exec(text)?.[1];
    if (priority === undefined || (isMultiport && found === undefined)) {
      return { headers: { ...(!isMultiport && levels('0')), [STATUS]: 'Invalid' }, body: raw };
    }
    if (found === undefined) return { headers: { ...levels(priority), ...status }, body: raw };
    const [version = '', stamp, host, rest = ''] = found;
    const timestamp = timeOf(message, stamp, isMultiport);
    const shownHost = host ?? (isMultiport ? '-' : undefined);
    const headers = {
      ...levels(priority),
      [isMultiport ? 'Priority' : 'priority']: priority,
      ...(version !== '' && { [isMultiport ? 'Version' : 'version']: version }),
      ...(timestamp !== undefined && { timestamp: String(timestamp) }),
      ...(shownHost !== undefined && { host: shownHost }),
      ...status,
    };
    if (body === 'raw') return { headers, body: raw };
    const kept: Record<SyslogField, string> = {
      priority: `<${priority}>`,
      version: version === '' ? '' : `${version} `,
      timestamp: `${stamp ?? '-'} `,
      hostname: `${host ?? '-'} `,
    };
    const before = FIELDS.filter((field) => keepFields.includes(field)).map((field) => kept[field]);
    return { headers, body: Buffer.from(before.join('') + rest) };
  };
}

/** Version, time, host and text behind the priority. */
function readForm(text: string): (string | undefined)[] | undefined {
  for (const form of FORMS) {
    const found = form.exec(text);
    if (found !== null) return found.slice(2);
  }
  return undefined;
}

function levels(priority: string): Record<string, string> {
  const value = Number(priority);
  return { Facility: String(value >> 3), Severity: String(value & 7) };
}

/**
 * As the source read it; what it could not read as a date of RFC 3339 has no zone, and is of this process's. On several ports Flume takes a time
 * without a zone to be UTC.
 */
function timeOf({ timestamp }: SyslogFields, stamp: string | undefined, isMultiport: boolean): number | undefined {
  if (stamp === undefined) return isMultiport ? timeOfDayMs() : undefined;
  const read = timestamp ?? Date.parse(stamp);
  if (Number.isNaN(read)) return undefined;
  return isMultiport && !/^\d/.test(stamp) ? asUtc(new Date(read)) : read;
}

function asUtc(local: Date): number {
  const day = [local.getFullYear(), local.getMonth(), local.getDate()] as const;
  return Date.UTC(...day, local.getHours(), local.getMinutes(), local.getSeconds(), local.getMilliseconds());
}
