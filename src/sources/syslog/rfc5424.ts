import type { SyslogFields } from './syslog-message.js';

/** What is behind the priority: version, timestamp, host, program, process and message ID. */
const HEADER = /^1 (\S{1,64}) (\S{1,1024}) (\S{1,1024}) (\S{1,1024}) (\S{1,1024}) (?=\[|-)/;

/** With a zone; the fraction of a second has up to 9 digits, of which a date keeps 3. */
const TIMESTAMP = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * What follows the priority, by RFC 5424; undefined where it is not of that form.
 *
 * Source: RFC 5424, section 6. Tolerant of names that are longer than it allows.
 */
export function readRfc5424(text: string): Omit<SyslogFields, 'facility' | 'severity'> | undefined {
  const header = HEADER.exec(text);
  if (header === null) return undefined;
  const [all, time = '-', host = '-', app = '-', procId = '-', msgId = '-'] = header;
  const timestamp = time === '-' ? undefined : readTimestamp(time);
  if (time !== '-' && timestamp === undefined) return undefined;
  const data = readStructuredData(text, all.length);
  if (data === undefined) return undefined;
  const { elements, end } = data;
  if (end < text.length && text[end] !== ' ') return undefined;
  const message = text.slice(end + 1).replace(/^\uFEFF/, '');
  return {
    format: 'rfc5424',
    timestamp,
    host: nil(host),
    app: nil(app),
    procId: nil(procId),
    msgId: nil(msgId),
    structuredData: elements,
    message,
  };
}

/** A timestamp of RFC 3339; undefined for what is none. */
export function readTimestamp(text: string): number | undefined {
  if (!TIMESTAMP.test(text)) return undefined;
  const time = Date.parse(text.toUpperCase());
  return Number.isNaN(time) ? undefined : time;
}

function nil(text: string): string | undefined {
  return text === '-' ? undefined : text;
}

type Elements = Record<string, Record<string, string>>;

/** `-`, or elements one behind the other, and where they end; undefined where they are broken. */
function readStructuredData(text: string, start: number): { elements: Elements; end: number } | undefined {
  // Without a prototype: a name may be `__proto__`.
  const elements: Elements = Object.create(null);
  if (text[start] === '-') return { elements, end: start + 1 };
  const id = /\[([^\s="\]]{1,1024})/y;
  const parameter = / +([^\s="\]]{1,1024})="/y;
  let at = start;
  while (text[at] === '[') {
    id.lastIndex = at;
    const [begun, name] = id.exec(text) ?? [];
    if (begun === undefined || name === undefined) return undefined;
    at += begun.length;
    const own: Record<string, string> = elements[name] ?? Object.create(null);
    elements[name] = own;
    for (parameter.lastIndex = at; ; parameter.lastIndex = at) {
      const [opened, key] = parameter.exec(text) ?? [];
      if (opened === undefined || key === undefined) break;
      const end = endOfValue(text, at + opened.length);
      if (end < 0) return undefined;
      own[key] = text.slice(at + opened.length, end).replaceAll(/\\(["\\\]])/g, '$1');
      at = end + 1;
    }
    while (text[at] === ' ') at += 1;
    if (text[at] !== ']') return undefined;
    at += 1;
  }
  return { elements, end: at };
}

/** Where the quote is that ends a value; -1 where none is. */
function endOfValue(text: string, start: number): number {
  let at = start;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at < text.length ? at : -1;
}
