import { createHash } from 'node:crypto';
import { toHeaderMap } from '../core/headers.js';
import { DEAD_LETTER_VERSION, type DeadLetter, type DeadLetterHeader } from '../delivery/dead-letter.js';
import type { Origin } from '../delivery/delivery.js';
import { json } from '../formats/json.js';

type Unchecked = Readonly<Record<string, unknown>>;

const ENCODINGS = ['utf8', 'base64', 'json', 'none'];
const TYPES = ['bytes', 'text', 'json', 'none', 'other'];

/**
 * A dead letter from a line of JSON. Lines of before version 1, which have neither headers nor an operator, are letters too.
 *
 * Throws an `Error` that says what is wrong with it.
 */
export function readLetter(text: string): DeadLetter {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
  return checkLetter(read);
}

/** The same of a value that was read. */
export function checkLetter(read: unknown): DeadLetter {
  if (typeof read !== 'object' || read === null || Array.isArray(read)) throw new Error('it is not a JSON object');
  const of = read as Unchecked;
  const version = of.version ?? DEAD_LETTER_VERSION;
  if (version !== DEAD_LETTER_VERSION)
    throw new Error(`its version is ${String(version)}, known is ${DEAD_LETTER_VERSION}`);
  const encoding = oneOf(of, 'encoding', ENCODINGS) as DeadLetter['encoding'];
  const value = textOrNull(of, 'value');
  if ((value === null) !== (encoding === 'none'))
    throw new Error('its `value` and its `encoding` contradict each other');
  if (value !== null && encoding === 'base64') expectBase64('value', value);
  if (value !== null && encoding === 'json') expectJson(value);
  const key = textOrNull(of, 'key');
  const keyEncoding = of.keyEncoding === undefined ? (key === null ? 'none' : 'utf8') : oneOf(of, 'keyEncoding', BYTES);
  if (key !== null && keyEncoding === 'base64') expectBase64('key', key);
  return {
    version: DEAD_LETTER_VERSION,
    code: text(of, 'code'),
    message: text(of, 'message'),
    causes: list(of, 'causes').map((one) => ({ code: text(one, 'code'), message: text(one, 'message') })),
    stream: text(of, 'stream'),
    offset: whole(of, 'offset'),
    part: textOrNull(of, 'part'),
    timestamp: time(of, 'timestamp'),
    key,
    keyEncoding: keyEncoding as DeadLetter['keyEncoding'],
    headers: list(of, 'headers').map(headerOf),
    value,
    encoding,
    type: of.type === undefined ? typeOf(encoding) : (oneOf(of, 'type', TYPES) as DeadLetter['type']),
    attempt: whole(of, 'attempt'),
    setAsideAt: time(of, 'setAsideAt') ?? missing('setAsideAt'),
    flow: textOrNull(of, 'flow'),
    operator: textOrNull(of, 'operator'),
    replayOf: textOrNull(of, 'replayOf'),
  };
}

const BYTES = ['utf8', 'base64', 'none'];

/** What a value was of which only the encoding is known: sources give bytes. */
function typeOf(encoding: DeadLetter['encoding']): DeadLetter['type'] {
  if (encoding === 'json' || encoding === 'none') return encoding;
  return 'bytes';
}

const exact = json();

/** The value as the operator had it that set it aside; of an object, what its JSON says. */
export function originalValue({ value, encoding, type }: DeadLetter): unknown {
  if (value === null) return null;
  if (encoding === 'json') return exact(value);
  if (type === 'text') return value;
  return Buffer.from(value, encoding === 'base64' ? 'base64' : 'utf8');
}

/** The record's origin as far as the letter has it, at a position in the stream of its replay. */
export function originOf(
  letter: DeadLetter,
  at: { readonly stream: string; readonly offset: number; readonly letter: string },
): Origin {
  const { stream, offset, part, attempt, timestamp, key, keyEncoding, value, encoding } = letter;
  const headerList = letter.headers.map((header) => [header.name, bytesOf(header.value, header.encoding)] as const);
  return {
    stream: at.stream,
    offset: at.offset,
    epoch: 1,
    byteLength: bytesOf(value, encoding)?.length ?? 0,
    timestamp: timestamp === null ? undefined : Date.parse(timestamp),
    key: bytesOf(key, keyEncoding),
    headers: toHeaderMap(headerList),
    headerList,
    replayOf: { letter: at.letter, stream, offset, part, attempt },
  };
}

function bytesOf(text: string | null, encoding: DeadLetter['encoding']): Buffer | null {
  return text === null ? null : Buffer.from(text, encoding === 'base64' ? 'base64' : 'utf8');
}

/**
 * What tells a letter from others: two with the same are of one record, set aside twice, since letters are written at least once. One
 * that failed again in a replay is another.
 */
export function identityOf({ flow, operator, stream, offset, part, replayOf, encoding, value }: DeadLetter): string {
  const parts = JSON.stringify([flow, operator, stream, offset, part, replayOf, encoding, value]);
  return createHash('sha256').update(parts).digest('base64').slice(0, 22);
}

function headerOf(one: Unchecked): DeadLetterHeader {
  const encoding = oneOf(one, 'encoding', BYTES) as DeadLetterHeader['encoding'];
  const value = textOrNull(one, 'value');
  if (value !== null && encoding === 'base64') expectBase64('a header', value);
  return { name: text(one, 'name'), value, encoding };
}

function text(of: Unchecked, name: string): string {
  const value = of[name];
  return typeof value === 'string' ? value : missing(name, value);
}

function textOrNull(of: Unchecked, name: string): string | null {
  return of[name] == null ? null : text(of, name);
}

function time(of: Unchecked, name: string): string | null {
  const value = textOrNull(of, name);
  return value === null || !Number.isNaN(Date.parse(value)) ? value : missing(name, value);
}

function whole(of: Unchecked, name: string): number {
  const value = of[name];
  return Number.isSafeInteger(value) ? (value as number) : missing(name, value);
}

function oneOf(of: Unchecked, name: string, choices: readonly string[]): string {
  const value = of[name];
  return typeof value === 'string' && choices.includes(value) ? value : missing(name, value);
}

function list(of: Unchecked, name: string): readonly Unchecked[] {
  const value = of[name] ?? [];
  const isList = Array.isArray(value) && value.every((one) => typeof one === 'object' && one !== null);
  return isList ? (value as Unchecked[]) : missing(name, value);
}

function expectBase64(name: string, value: string): void {
  if (Buffer.from(value, 'base64').toString('base64') !== value) throw new Error(`\`${name}\` is not base64`);
}

function expectJson(value: string): void {
  try {
    JSON.parse(value);
  } catch {
    throw new Error('its `value` is not JSON, as its `encoding` says');
  }
}

function missing(name: string, value?: unknown): never {
  if (value === undefined) throw new Error(`it has no \`${name}\``);
  throw new Error(`its \`${name}\` is ${JSON.stringify(value).slice(0, 100)}`);
}
