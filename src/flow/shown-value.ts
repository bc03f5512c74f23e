import { describeError } from '../core/errors.js';
import { RawJson } from '../core/raw-json.js';
import { KiB } from '../core/units.js';
import { REDACTED, redactedJson } from './redacted-json.js';

/** A value as text for people. */
export interface ShownValue {
  readonly text: string;
  /** Whether there was more than is shown. */
  readonly isCut: boolean;
  /** Whether something of it is hidden. */
  readonly isRedacted: boolean;
}

/** The most of one value that is shown, in bytes of UTF-8. */
const MAX_SHOWN_BYTES = 64 * KiB;
/** Deeper parts are shown as `…`; a cycle ends there. */
const MAX_DEPTH = 32;
/** Of bytes that are no text so many are shown. */
const MAX_HEX_BYTES = 1_024;

/**
 * A value as text, at this moment: nothing of it is kept. Text and bytes in UTF-8 are shown as they are, other bytes in hexadecimal,
 * and objects as JSON, with what JSON cannot hold as near to it as can be. `hidden`: names of fields, in lower case, whose values are
 * replaced at any depth; text whose fields cannot be found, since it is no JSON, is hidden as a whole then.
 *
 * Never throws: a value that throws while it is read is shown as that. Bounds: 64 KiB are made, however large the value is.
 */
export function shownValue(value: unknown, hidden: ReadonlySet<string>): ShownValue {
  try {
    if (value instanceof RawJson) return shownBytes(value.line(), hidden);
    if (value instanceof Uint8Array) return shownBytes(value, hidden);
    if (typeof value === 'string') return shownText(value, value.length > MAX_SHOWN_BYTES, hidden);
    const json = new JsonText(hidden);
    json.add(value, 0);
    return cut(json.text, json.isCut, json.isRedacted);
  } catch (error) {
    return { text: `[cannot be shown: ${describeError(error)}]`, isCut: false, isRedacted: false };
  }
}

function shownBytes(bytes: Uint8Array, hidden: ReadonlySet<string>): ShownValue {
  const isMore = bytes.length > MAX_SHOWN_BYTES;
  const text = textOf(isMore ? bytes.subarray(0, MAX_SHOWN_BYTES) : bytes, isMore);
  if (text !== undefined) return shownText(text, isMore, hidden);
  if (hidden.size > 0) return whole(`${bytes.length} bytes`);
  return { text: hexOf(bytes), isCut: bytes.length > MAX_HEX_BYTES, isRedacted: false };
}

function shownText(text: string, isMore: boolean, hidden: ReadonlySet<string>): ShownValue {
  if (hidden.size === 0) return cut(text, isMore, false);
  const redacted = isMore ? undefined : redactedJson(text, hidden);
  return redacted === undefined ? whole(`${text.length} characters or more`) : cut(redacted, false, redacted !== text);
}

/** Hidden as a whole. */
function whole(size: string): ShownValue {
  const text = `[redacted: ${size}, in which the fields to be hidden cannot be found]`;
  return { text, isCut: false, isRedacted: true };
}

/** Undefined where it is not UTF-8. */
function textOf(bytes: Uint8Array, isMore: boolean): string | undefined {
  try {
    // What follows may belong to the last character.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: isMore });
  } catch {
    return undefined;
  }
}

function hexOf(bytes: Uint8Array): string {
  const [{ buffer, byteOffset }, length] = [bytes, Math.min(bytes.length, MAX_HEX_BYTES)];
  return `0x${Buffer.from(buffer, byteOffset, length).toString('hex')}`;
}

function cut(text: string, isMore: boolean, isRedacted: boolean): ShownValue {
  if (text.length * 3 <= MAX_SHOWN_BYTES) return { text, isCut: isMore, isRedacted };
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_SHOWN_BYTES) return { text, isCut: isMore, isRedacted };
  const shown = textOf(bytes.subarray(0, MAX_SHOWN_BYTES), true) ?? '';
  return { text: shown, isCut: true, isRedacted };
}

/** Writes JSON, and stops once it is as long as may be shown. */
class JsonText {
  text = '';
  isCut = false;
  isRedacted = false;
  readonly #hidden: ReadonlySet<string>;

  constructor(hidden: ReadonlySet<string>) {
    this.#hidden = hidden;
  }

  add(given: unknown, depth: number, key = ''): void {
    if (this.text.length > MAX_SHOWN_BYTES) {
      this.isCut = true;
      return;
    }
    const value = jsonOf(given, key);
    if (typeof value === 'string') this.text += quoted(value);
    else if (typeof value !== 'object' || value === null) this.text += String(value);
    else if (depth >= MAX_DEPTH) {
      this.text += '"…"';
      this.isCut = true;
    } else if (value instanceof Uint8Array) this.#bytes(value);
    else if (isList(value)) this.#list(value, depth);
    else this.#fields(value instanceof Map ? value : fieldsOf(value), depth);
  }

  #bytes(bytes: Uint8Array): void {
    const { text, isCut } = shownBytes(bytes, new Set());
    this.text += quoted(text);
    if (isCut) this.isCut = true;
  }

  #list(values: Iterable<unknown>, depth: number): void {
    let before = '[';
    for (const value of values) {
      this.text += before;
      before = ',';
      this.add(value, depth + 1);
      if (this.isCut) return;
    }
    this.text += before === '[' ? '[]' : ']';
  }

  #fields(fields: Iterable<readonly [unknown, unknown]>, depth: number): void {
    let before = '{';
    for (const [field, value] of fields) {
      if (value === undefined || typeof value === 'function' || typeof value === 'symbol') continue;
      const name = String(field);
      this.text += `${before}${quoted(name)}:`;
      before = ',';
      if (this.#hidden.has(name.toLowerCase())) {
        this.text += REDACTED;
        this.isRedacted = true;
      } else this.add(value, depth + 1, name);
      if (this.isCut) return;
    }
    this.text += before === '{' ? '{}' : '}';
  }
}

function isList(value: object): value is Iterable<unknown> & object {
  return Array.isArray(value) || value instanceof Set || (ArrayBuffer.isView(value) && Symbol.iterator in value);
}

/** Lazily, so that of a large object only what is shown is read. */
function* fieldsOf(value: object): Iterable<readonly [string, unknown]> {
  for (const name of Object.keys(value)) yield [name, (value as Record<string, unknown>)[name]];
}

function jsonOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (value instanceof Error) return String(value);
  const { toJSON } = value as { readonly toJSON?: unknown };
  return typeof toJSON === 'function' ? (toJSON.call(value, key) as unknown) : value;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN_BYTES ? text.slice(0, MAX_SHOWN_BYTES) : text);
}
