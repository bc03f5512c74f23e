import { endOfString, isNumberStart, numberAt } from '../core/json-tokens.js';

/** A number of a JSON text, and where it begins. */
export interface NumberAt {
  readonly text: string;
  readonly offset: number;
}

/** Whether a number, by its text, becomes a value from which the same number is written. */
export type IsHeld = (text: string) => boolean;

/** Up to 15 digits survive in a double of the normal range, so all other numbers have this many digits and points in a row. */
const LEAST_RUN = 16;

/** What is nearer to zero may be of fewer digits than 15: the normal range ends at 2.2e-308. */
const LEAST_NORMAL = 1e-300;

/** An exponent that leads out of the normal range has three digits. */
const LONG_EXPONENT = /[eE][+-]?\d{3}/;

/** Values nested deeper than this are not looked at, but taken for such as may have any number. */
const MAX_LEVELS = 64;

/** With a number of many digits in so many bytes, to write the whole value and compare is cheaper than to look at each. */
const DENSE_BYTES = 64;

/**
 * Whether a JSON text may have a number that is not held; `json` is its UTF-8 and `value` what was read from it. It may say
 * so of what is no number, never the other way.
 *
 * It reads one byte in sixteen, and only the numbers among the values, so that texts cost little more than to be parsed.
 */
export function mayBeUnheld(json: Buffer, text: string, value: unknown, isHeld: IsHeld): boolean {
  return hasUnheldRun(json, text, value, isHeld) || (hasExtreme(value, 0) && LONG_EXPONENT.test(text));
}

/** Whether there is a run of digits where a number may begin, of a number that is not held. */
function hasUnheldRun(json: Buffer, text: string, value: unknown, isHeld: IsHeld): boolean {
  let first = nextRun(json, 0);
  if (first < 0) return false;
  if (isHeld === doubleHolds && isDense(json, first) && isWrittenAs(value, text)) return false;
  while (first >= 0) {
    const end = endOfRun(json, first);
    if (!isHeldAt(json, text, first, end, isHeld)) return true;
    first = nextRun(json, end);
  }
  return false;
}

/** Where the next run of that many digits and points begins, or -1. Looks back from the end of each window. */
function nextRun(json: Buffer, from: number): number {
  let first = from;
  for (let at = first + LEAST_RUN - 1; at < json.length; at = first + LEAST_RUN - 1) {
    while (at >= first && isDigitOrPoint(json[at])) at -= 1;
    if (at < first) return first;
    first = at + 1;
  }
  return -1;
}

function endOfRun(json: Buffer, first: number): number {
  let end = first + LEAST_RUN;
  while (end < json.length && isDigitOrPoint(json[end])) end += 1;
  return end;
}

/** What is written back as it came has lost nothing. Texts with spaces between values are looked at number by number. */
function isWrittenAs(value: unknown, text: string): boolean {
  try {
    return JSON.stringify(value) === text;
  } catch {
    // It recurses, unlike JSON.parse: what is nested by the thousands ends the stack.
    return false;
  }
}

/** Whether so many such runs follow that all of them together are better looked at otherwise. */
function isDense(json: Buffer, first: number): boolean {
  let count = 1;
  for (let run = first; count * DENSE_BYTES < json.length; count += 1) {
    run = nextRun(json, endOfRun(json, run));
    if (run < 0) return false;
  }
  return true;
}

function isHeldAt(json: Buffer, text: string, digits: number, end: number, isHeld: IsHeld): boolean {
  const start = json[digits - 1] === MINUS ? digits - 1 : digits;
  if (json[digits] === POINT || !mayPrecedeNumber(json[start - 1])) return true;
  let next = end;
  while (next < json.length && isOfExponent(json[next])) next += 1;
  // A part of a text costs a fifth of a part of bytes, and is the same where all is ASCII.
  return isHeld(text.length === json.length ? text.slice(start, next) : json.toString('latin1', start, next));
}

/** Whether a part of a value is a number of the edge of what a double can hold, zero among them. */
function hasExtreme(value: unknown, level: number): boolean {
  if (typeof value === 'number') return isExtreme(value);
  if (typeof value !== 'object' || value === null) return false;
  if (level > MAX_LEVELS) return true;
  if (Array.isArray(value)) {
    // By index: an iterator shows where a value is mostly numbers.
    for (let at = 0; at < value.length; at += 1) {
      const part: unknown = value[at];
      if (typeof part === 'number' ? isExtreme(part) : typeof part === 'object' && hasExtreme(part, level + 1))
        return true;
    }
    return false;
  }
  for (const name in value) {
    const part = (value as Record<string, unknown>)[name];
    if (typeof part === 'number' ? isExtreme(part) : typeof part === 'object' && hasExtreme(part, level + 1))
      return true;
  }
  return false;
}

function isExtreme(number: number): boolean {
  return (number < LEAST_NORMAL && number > -LEAST_NORMAL) || number - number !== 0;
}

/** The first number of a valid JSON text that is not held, if there is one. */
export function firstUnheld(json: string, isHeld: IsHeld): NumberAt | undefined {
  let at = 0;
  while (at < json.length) {
    const char = json.charCodeAt(at);
    if (char === QUOTE) {
      at = endOfString(json, at);
    } else if (isNumberStart(char)) {
      const text = numberAt(json, at);
      if (!isHeld(text)) return { text, offset: at };
      at += text.length;
    } else {
      at += 1;
    }
  }
  return undefined;
}

const [TAB, LINE_FEED, RETURN, SPACE, QUOTE, PLUS, COMMA, MINUS] = [9, 10, 13, 32, 34, 43, 44, 45];
const [POINT, SLASH, ZERO, NINE, COLON, UPPER_E, OPENING, LOWER_E] = [46, 47, 48, 57, 58, 69, 91, 101];
const END_OF_MARK = 0xbf;

function isDigitOrPoint(byte: number | undefined): boolean {
  return byte !== undefined && byte <= NINE && byte >= POINT && byte !== SLASH;
}

function isOfExponent(byte: number | undefined): boolean {
  return byte === LOWER_E || byte === UPPER_E || byte === PLUS || byte === MINUS || isDigitOrPoint(byte);
}

/** Within a string too, where it is followed up by a look at the whole text. */
function mayPrecedeNumber(byte: number | undefined): boolean {
  if (byte === COLON || byte === COMMA || byte === OPENING || byte === undefined || byte === SPACE) return true;
  return byte === TAB || byte === LINE_FEED || byte === RETURN || byte === END_OF_MARK;
}

/** Whether the nearest double, written back in its shortest form, has the same value as the text. */
export function doubleHolds(text: string): boolean {
  const double = Number(text);
  const back = String(double);
  return back === text || (Number.isFinite(double) && decimalOf(text) === decimalOf(back));
}

/** One text for each decimal value: its digits without zeros around them, and the power of ten of the last. Zero has no sign. */
function decimalOf(text: string): string {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = (whole + fraction).replace(/^0+/, '');
  let length = digits.length;
  while (length > 0 && digits.charCodeAt(length - 1) === ZERO) length -= 1;
  if (length === 0) return '0';
  const power = Number(exponent) - fraction.length + digits.length - length;
  return `${mantissa.startsWith('-') ? '-' : ''}${digits.slice(0, length)}e${power}`;
}
