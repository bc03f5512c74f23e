import { readTimestamp } from './rfc5424.js';
import { NO_FIELDS, type SyslogFields } from './syslog-message.js';

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** `Nov 27 20:15:22`, with the year and fractions of a second that some devices add. */
const BSD_TIME = /^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (?:(\d{4}) )?(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?:? ?/;

/** As rsyslog and others send it. */
const ISO_TIME = /^(\d{4}-\d\d-\d\dT[\d:.]{5,18}(?:Z|[+-]\d\d:\d\d)) ?/;

/** `sshd[123]: `, `kernel: `. */
const TAG = /^([^\s:[\]]{1,256})(?:\[([^\]\s]{0,256})\])?:(?: |$)/;

const HOST = /^([^\s:[\]]{1,1024}) /;
const IPV6_HOST = /^([0-9a-fA-F:.]{2,45}) /;

/** A message of the future is of last year, but for clocks that are off by so much. */
const MAX_AHEAD_MS = 86_400_000;

/**
 * What follows the priority, by RFC 3164: a time, a host, a tag, each where it is there. Never undefined: what cannot be read is
 * part of the message.
 *
 * Source: RFC 3164, section 4, which says what is usual, not what is allowed; local senders leave the host out.
 */
export function readRfc3164(text: string, nowMs: number): Omit<SyslogFields, 'facility' | 'severity'> {
  const { timestamp, length } = readTime(text, nowMs);
  let rest = text.slice(length);
  let host: string | undefined;
  if (timestamp !== undefined && !TAG.test(rest)) {
    const [all, name] = HOST.exec(rest) ?? IPV6_HOST.exec(rest) ?? [];
    if (all !== undefined) {
      host = name;
      rest = rest.slice(all.length);
    }
  }
  const [tag, app, procId] = TAG.exec(rest) ?? [];
  const message = tag === undefined ? rest : rest.slice(tag.length);
  return { ...NO_FIELDS, format: 'rfc3164', timestamp, host, app, procId, message };
}

function readTime(text: string, nowMs: number): { timestamp: number | undefined; length: number } {
  const [iso, time = ''] = ISO_TIME.exec(text) ?? [];
  if (iso !== undefined) {
    const timestamp = readTimestamp(time);
    return timestamp === undefined ? { timestamp, length: 0 } : { timestamp, length: iso.length };
  }
  const found = BSD_TIME.exec(text);
  if (found === null) return { timestamp: undefined, length: 0 };
  const [all, month = '', day, year, hours, minutes, seconds, fraction = '0'] = found;
  const parts = [MONTHS.indexOf(month), day, hours, minutes, seconds].map(Number);
  const ms = Math.floor(Number(`0.${fraction}`) * 1_000);
  const timestamp = year === undefined ? nearest(parts, ms, nowMs) : localTime(Number(year), parts, ms);
  return timestamp === undefined ? { timestamp, length: 0 } : { timestamp, length: all.length };
}

/** The last time that it was that date, or tomorrow. */
function nearest(parts: readonly number[], ms: number, nowMs: number): number | undefined {
  const thisYear = new Date(nowMs).getFullYear();
  // A message of New Year's Day may come on New Year's Eve; the 29th of February is up to eight years ago.
  for (let year = thisYear + 1; year >= thisYear - 8; year -= 1) {
    const time = localTime(year, parts, ms);
    if (time !== undefined && time <= nowMs + MAX_AHEAD_MS) return time;
  }
  return undefined;
}

/** Undefined where there is no such date. */
function localTime(year: number, [month = -1, day = 0, ...time]: readonly number[], ms: number): number | undefined {
  const [hours = 0, minutes = 0, seconds = 0] = time;
  if (month < 0 || hours > 23 || minutes > 59 || seconds > 60) return undefined;
  const date = new Date(year, month, day, hours, minutes, seconds, ms);
  return date.getMonth() === month && date.getDate() === day ? date.getTime() : undefined;
}
