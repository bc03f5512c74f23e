import { DecodeError, describeError, describeValue } from '../core/errors.js';
import { expectOneOf, withDefaults } from '../core/options.js';
import { isLargeInteger, parseNumbersWith } from './big-integers.js';
import { type Decoder, type DecoderLike, decoderOf } from './decoder.js';
import { doubleHolds, firstUnheld, mayBeUnheld, type NumberAt } from './exact-numbers.js';
import { jsonCheckOf } from './io-ts-check.js';
import { JsonLayouts } from './json-layouts.js';
import { pathAt } from './json-path.js';
import { withSecretFields } from './secret-field.js';

export interface JsonOptions {
  /**
   * `exact`: a value with a number that does not fit a double is nacked. `bigint`: an integer beyond ±(2^53 − 1) becomes a
   * BigInt, whether it fits a double or not; other numbers as with `exact`. `rounded`: a number becomes the nearest double, or
   * Infinity, as in `JSON.parse`. Default `exact`.
   */
  readonly numbers?: 'exact' | 'bigint' | 'rounded';
}

/** The defaults of `json`. */
export const JSON_DEFAULTS = { numbers: 'exact' } as const;

/**
 * A decoder of JSON in UTF-8, from bytes or text, and then by the schema where one is given. A byte order mark before it
 * is skipped; of a key that an object has twice, the last one counts; `-0` is written back as `0`.
 *
 * ```ts
 * import { json } from 'rxflume';
 *
 * json()('{"id":1}'); // → { id: 1 }
 * json(undefined, { numbers: 'bigint' })('{"id":12345678901234567890}'); // → { id: 12345678901234567890n }
 * ```
 *
 * Fails: `RXF_DECODE_EMPTY` for null or no bytes (a Kafka tombstone), `RXF_DECODE_SYNTAX` for what is not JSON or not
 * UTF-8, `RXF_DECODE_INEXACT` for a number that would be written back as another, `RXF_DECODE_SHAPE` for what does not fit
 * the schema.
 */
export function json(schema?: undefined, options?: JsonOptions): Decoder<Uint8Array | string | null, unknown>;
export function json<A>(schema: DecoderLike<unknown, A>, options?: JsonOptions): Decoder<Uint8Array | string | null, A>;
export function json<A>(
  schema?: DecoderLike<unknown, A>,
  options: JsonOptions = {},
): Decoder<Uint8Array | string | null, unknown> {
  const shape = schema === undefined ? undefined : shapeOf(schema);
  const reader = new JsonReader(options);
  const decoder = (bytes: Uint8Array | string | null) => {
    const value = reader.read(bytes);
    return shape === undefined ? value : shape(value);
  };
  return withSecretFields(decoder, schema);
}

/** The decoder of a schema, for values that were read from JSON. */
export function shapeOf<A>(schema: DecoderLike<unknown, A>): Decoder<unknown, A> {
  const decode = decoderOf(schema);
  const fits = jsonCheckOf(schema);
  return fits === undefined ? decode : (value) => (fits(value) ? (value as A) : decode(value));
}

type Numbers = NonNullable<JsonOptions['numbers']>;

/** Reads JSON as `json` says, without a schema. */
export class JsonReader {
  readonly #numbers: Numbers;
  readonly #layouts = new JsonLayouts();
  /** Whether it is known of the text that was read last that it is one line, without white space at its end. */
  isLine = false;

  constructor(options: JsonOptions) {
    const { numbers } = withDefaults('json options', JSON_DEFAULTS, options);
    expectOneOf('numbers', numbers, ['exact', 'bigint', 'rounded']);
    this.#numbers = numbers;
  }

  read(bytes: Uint8Array | string | null): unknown {
    this.isLine = false;
    if (bytes === null || bytes === undefined || bytes.length === 0) throw emptyError();
    if (typeof bytes === 'string') return this.#parse(undefined, bytes);
    const buffer = bufferOf(bytes);
    // Its numbers are such as each of the options gives as they are.
    const known = this.#layouts.read(buffer);
    if (known !== undefined) {
      this.isLine = this.#layouts.isLine;
      return known;
    }
    const value = this.#parse(buffer, textOf(buffer));
    this.#layouts.learn(buffer, value);
    return value;
  }

  #parse(buffer: Buffer | undefined, marked: string): unknown {
    const text = withoutMark(marked);
    const value = parseText(text);
    if (this.#numbers === 'rounded') return value;
    const isHeld = this.#numbers === 'exact' ? doubleHolds : isPlain;
    if (!mayBeUnheld(buffer ?? Buffer.from(text), text, value, isHeld)) return value;
    return this.#numbers === 'exact' ? unlessInexact(text, value) : withBigInts(text);
  }
}

function emptyError(): DecodeError {
  return new DecodeError(
    'RXF_DECODE_EMPTY',
    'Expected JSON, got no value (a tombstone). Drop tombstones with `filterValue((value) => value !== null)` first.',
  );
}

/** Whether a number is the same with `bigint` as without: an integer that a double holds by chance is not. */
function isPlain(number: string): boolean {
  return !isLargeInteger(number) && doubleHolds(number);
}

function unlessInexact(text: string, value: unknown): unknown {
  const inexact = firstUnheld(text, doubleHolds);
  if (inexact !== undefined) throw inexactError(text, inexact);
  return value;
}

function withBigInts(text: string): unknown {
  const inexact = firstUnheld(text, (number) => isLargeInteger(number) || doubleHolds(number));
  if (inexact !== undefined) throw inexactError(text, inexact);
  return parseNumbersWith(text, (number) => (isLargeInteger(number) ? BigInt(number) : Number(number)));
}

function inexactError(text: string, { text: number, offset }: NumberAt): DecodeError {
  const [path, shown] = [pathAt(text, offset), shortened(number)];
  return new DecodeError(
    'RXF_DECODE_INEXACT',
    `The number ${shown} of \`${path}\`, at character ${offset}, does not fit a double: it would be written back as ` +
      `${describeValue(Number(number))}. Send it as a string, ${isLargeInteger(number) ? "read it with `numbers: 'bigint'`, " : ''}` +
      "or accept rounding with `numbers: 'rounded'`.",
    { details: { path, offset, number: shown } },
  );
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const position = / at position (\d+)/.exec(describeError(cause))?.[1];
    const path = position === undefined ? undefined : pathAt(text, Number(position));
    throw new DecodeError(
      'RXF_DECODE_SYNTAX',
      `Not JSON: ${describeError(cause)}${path === undefined ? '' : `, in \`${path}\``}; it starts with ` +
        `${JSON.stringify(text.slice(0, 60))}.`,
      { cause, details: path === undefined ? { length: text.length } : { length: text.length, path } },
    );
  }
}

function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** The text of the bytes. Only one with U+FFFD in it, which stands for what is not UTF-8, is compared with them. */
function textOf(bytes: Buffer): string {
  const text = bytes.toString();
  if (!text.includes('\ufffd')) return text;
  const again = Buffer.from(text);
  if (again.equals(bytes)) return text;
  const offset = bytes.findIndex((byte, at) => byte !== again[at]);
  const shown = bytes.subarray(offset, offset + 4).toString('hex');
  const path = pathAt(text, bytes.toString('utf8', 0, offset).length);
  throw new DecodeError(
    'RXF_DECODE_SYNTAX',
    `Not UTF-8: the bytes ${shown} (hex) of \`${path}\`, at byte ${offset}. Have the producer send UTF-8, or set such ` +
      'values aside.',
    { details: { path, offset, length: bytes.length } },
  );
}

/** The same bytes; a Buffer as it is, since one more object for each value shows in the time that decoding takes. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
