import type { Frame } from '../listening/frames.js';
import { readRfc3164 } from './rfc3164.js';
import { readRfc5424 } from './rfc5424.js';
import { NO_FIELDS, type SyslogFields, type SyslogMessage } from './syslog-message.js';

const PRIORITY = /^<(\d{1,3})>/;

/** 23 facilities of 8 severities, and the last. */
const MAX_PRIORITY = 191;

const LF = 0x0a;
const NUL = 0x00;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Reads a message of either form; what has no priority is `unparsed`, and all of it is its text. Never throws.
 *
 * `nowMs`: for times without a year.
 */
export function parseSyslog({ bytes, isCut }: Frame, nowMs: number): SyslogMessage {
  let end = bytes.length;
  // Some senders end a datagram, or a counted frame, as they end a line.
  while (end > 0 && (bytes[end - 1] === LF || bytes[end - 1] === NUL)) end -= 1;
  const raw = bytes.subarray(0, end);
  const text = decoder.decode(raw);
  return { ...readFields(text, nowMs), raw, isTruncated: isCut };
}

function readFields(text: string, nowMs: number): SyslogFields {
  const [all, digits] = PRIORITY.exec(text) ?? [];
  const priority = Number(digits);
  if (all === undefined || priority > MAX_PRIORITY) return { ...NO_FIELDS, format: 'unparsed', message: text };
  const rest = text.slice(all.length);
  const fields = readRfc5424(rest) ?? readRfc3164(rest, nowMs);
  return { ...fields, facility: priority >> 3, severity: priority & 7 };
}
