import { DecodeError } from '../core/errors.js';

/** The fields of one record: their texts, and whether each was quoted. */
export interface CsvRecord {
  readonly texts: readonly string[];
  readonly quoted: readonly boolean[];
}

const [QUOTE, CR, LF] = [0x22, 0x0d, 0x0a];

/**
 * Splits one record of CSV into its fields. A line end behind it is passed over.
 *
 * Fails: `RXF_DECODE_SYNTAX`, with the character, for a quote within an unquoted field or without an end, text behind a closing quote,
 * a second record, and an unquoted carriage return alone.
 * Source: RFC 4180.
 */
export function csvRecord(text: string, separator: string): CsvRecord {
  const texts: string[] = [];
  const quoted: boolean[] = [];
  const between = separator.charCodeAt(0);
  const end = recordEnd(text);
  let at = 0;
  for (;;) {
    const isQuoted = text.charCodeAt(at) === QUOTE && at < end;
    const start = at;
    at = isQuoted ? quotedEnd(text, at, end) : unquotedEnd(text, at, end, between);
    texts.push(isQuoted ? text.slice(start + 1, at - 1).replaceAll('""', '"') : text.slice(start, at));
    quoted.push(isQuoted);
    if (at === end) return { texts, quoted };
    if (text.charCodeAt(at) !== between) throw invalid('text comes behind a closing quote', at);
    at += 1;
  }
}

/** Where the last field ends: before the line end. One within a field that is quoted is not at the end of the text. */
function recordEnd(text: string): number {
  if (text.charCodeAt(text.length - 1) !== LF) return text.length;
  return text.length - (text.charCodeAt(text.length - 2) === CR ? 2 : 1);
}

/** The character behind the closing quote of a field that begins with one. */
function quotedEnd(text: string, start: number, end: number): number {
  let at = start + 1;
  for (;;) {
    at = text.indexOf('"', at) + 1;
    if (at === 0 || at > end) throw invalid('a quote has no end', start);
    if (text.charCodeAt(at) !== QUOTE || at === end) return at;
    at += 1;
  }
}

function unquotedEnd(text: string, start: number, end: number, between: number): number {
  for (let at = start; at < end; at += 1) {
    const char = text.charCodeAt(at);
    if (char === between) return at;
    if (char === QUOTE) throw invalid('a quote is within a field that does not begin with one', at);
    if (char === LF || char === CR)
      throw invalid('a line ends, and the value goes on: it has more than one record', at);
  }
  return end;
}

function invalid(problem: string, offset: number): DecodeError {
  return new DecodeError(
    'RXF_DECODE_SYNTAX',
    `Not a record of CSV: ${problem}, at character ${offset}. Have the producer write one record by RFC 4180.`,
    { details: { offset } },
  );
}
