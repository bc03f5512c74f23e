import { type Decoder, type DecoderLike, decoderOf } from '../core/decoder.js';
import { DecodeError, describeError } from '../core/errors.js';

/**
 * A decoder of JSON in UTF-8, from bytes or text, and then by the schema where one is given.
 *
 * Fails: `RXF_DECODE_EMPTY` for null or no bytes (a Kafka tombstone), `RXF_DECODE_SYNTAX` for what is not JSON,
 * `RXF_DECODE_SHAPE` for what does not fit the schema.
 */
export function json(): Decoder<Uint8Array | string | null, unknown>;
export function json<A>(schema: DecoderLike<unknown, A>): Decoder<Uint8Array | string | null, A>;
export function json<A>(schema?: DecoderLike<unknown, A>): Decoder<Uint8Array | string | null, unknown> {
  const shape = schema === undefined ? undefined : decoderOf(schema);
  return (bytes) => {
    const value = parse(bytes);
    return shape === undefined ? value : shape(value);
  };
}

function parse(bytes: Uint8Array | string | null): unknown {
  if (bytes === null || bytes === undefined || bytes.length === 0) {
    throw new DecodeError(
      'RXF_DECODE_EMPTY',
      'Expected JSON, got no value (a tombstone). Drop these with `filterValue((value) => value !== null)` first.',
    );
  }
  const text = typeof bytes === 'string' ? bytes : bufferOf(bytes).toString();
  try {
    return JSON.parse(text);
  } catch (cause) {
    const start = text.slice(0, 60);
    throw new DecodeError(
      'RXF_DECODE_SYNTAX',
      `Not JSON: ${describeError(cause)}; it starts with ${JSON.stringify(start)}.`,
      { cause, details: { length: text.length } },
    );
  }
}

/** The same bytes; a Buffer as it is, since one more object for each value shows in the time that decoding takes. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
