import { RawJson } from '../core/raw-json.js';
import type { Decoder, DecoderLike } from './decoder.js';
import { bufferOf, type JsonOptions, JsonReader, shapeOf } from './json.js';
import { withSecretFields } from './secret-field.js';

/**
 * A decoder as `json`, whose result keeps the text it was read from: filters and paths look at its `value`, and `jsonLines`,
 * like all that writes JSON, writes the text as it came. So a value that is not changed is not serialised again, and keeps
 * its digits, the order and the repetition of its names, and its escapes. A text with line breaks is compacted to one line.
 *
 * `mapValue` to anything else, such as `({ value }) => ({ ...value, seen: true })`, and it is serialised as usual. A change
 * made within `value`, by a schema too, is not written.
 *
 * ```ts
 * import { jsonLines } from 'rxflume';
 * import { rawJson } from 'rxflume/formats';
 *
 * const raw = rawJson()(Buffer.from('{ "rate": 1.50,\n "id": 7 }'));
 * raw.value; // → { rate: 1.5, id: 7 }
 * const encoder = jsonLines().encoder();
 * encoder.add(raw);
 * String(encoder.take()); // → '{"rate":1.50,"id":7}\n'
 * ```
 *
 * Bounds: the bytes of a value are kept until it is written; the window of the source counts them.
 * Fails: as `json`.
 */
export function rawJson(
  schema?: undefined,
  options?: JsonOptions,
): Decoder<Uint8Array | string | null, RawJson<unknown>>;
export function rawJson<A>(
  schema: DecoderLike<unknown, A>,
  options?: JsonOptions,
): Decoder<Uint8Array | string | null, RawJson<A>>;
export function rawJson<A>(
  schema?: DecoderLike<unknown, A>,
  options: JsonOptions = {},
): Decoder<Uint8Array | string | null, RawJson<unknown>> {
  const shape = schema === undefined ? undefined : shapeOf(schema);
  const reader = new JsonReader(options);
  const raw = (input: Uint8Array | string | null) => {
    const value = reader.read(input);
    const { isLine } = reader;
    // What decodes is neither null nor empty.
    return new RawJson(shape === undefined ? value : shape(value), jsonBytes(input as Uint8Array | string), isLine);
  };
  return withSecretFields(raw, schema);
}

const MARK = [0xef, 0xbb, 0xbf];

function jsonBytes(input: Uint8Array | string): Buffer {
  if (typeof input === 'string') return Buffer.from(escaped(input.charCodeAt(0) === 0xfeff ? input.slice(1) : input));
  const bytes = bufferOf(input);
  const isMarked = bytes[0] === MARK[0] && MARK.every((byte, at) => bytes[at] === byte);
  return isMarked ? bytes.subarray(MARK.length) : bytes;
}

/** An unpaired surrogate, which UTF-8 cannot hold, is within a string, and has an escape there. */
function escaped(json: string): string {
  return json.replace(/\p{Surrogate}/gu, (half) => `\\u${half.charCodeAt(0).toString(16)}`);
}
