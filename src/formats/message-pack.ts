import { DecodeError } from '../core/errors.js';
import { expectOneOf, withDefaults } from '../core/options.js';
import { type Decoder, type DecoderLike, decoderOf } from './decoder.js';
import { MessagePackReader } from './message-pack-reader.js';

/** A value of an extension type that MessagePack itself does not define. */
export interface MessagePackExtension {
  readonly type: number;
  readonly data: Buffer;
}

export interface MessagePackOptions {
  /**
   * `exact`: a timestamp of more digits than a Date holds, which is milliseconds, is an error. `truncated`: they are dropped. Default
   * `exact`.
   */
  readonly timestamps?: 'exact' | 'truncated';
}

/** The defaults of `messagePack`. */
export const MESSAGE_PACK_DEFAULTS = { timestamps: 'exact' } as const satisfies MessagePackOptions;

/**
 * A decoder of MessagePack, and then by the schema where one is given. Integers beyond ±(2^53 − 1) become BigInts, timestamps Dates,
 * bytes Buffers of their own memory, other extensions a `MessagePackExtension`. Of a key that a map has twice, the last one counts.
 *
 * ```ts
 * import { messagePack } from 'rxflume/formats';
 *
 * messagePack()(Buffer.from('82a2696407a46e616d65a161', 'hex')); // → { id: 7, name: 'a' }
 * ```
 *
 * Bounds: each length and count is checked against the bytes that are left before anything is allocated; 500 arrays and maps within
 * each other.
 * Fails: `RXF_DECODE_EMPTY` for null or no bytes (a Kafka tombstone); `RXF_DECODE_SYNTAX`, with the path and the offset, for what is not
 * one value of MessagePack, has a text that is not UTF-8, or a key that is neither a text nor an integer; `RXF_DECODE_INEXACT` for a time
 * that no Date holds; `RXF_DECODE_SHAPE` for what does not fit the schema.
 * Source: MessagePack specification, 2017-08-09.
 */
export function messagePack(schema?: undefined, options?: MessagePackOptions): Decoder<Uint8Array | null, unknown>;
export function messagePack<A>(
  schema: DecoderLike<unknown, A>,
  options?: MessagePackOptions,
): Decoder<Uint8Array | null, A>;
export function messagePack<A>(
  schema?: DecoderLike<unknown, A>,
  options: MessagePackOptions = {},
): Decoder<Uint8Array | null, unknown> {
  const shape = schema === undefined ? undefined : decoderOf(schema);
  const { timestamps } = withDefaults('messagePack options', MESSAGE_PACK_DEFAULTS, options);
  expectOneOf('timestamps', timestamps, ['exact', 'truncated']);
  return (bytes) => {
    if (bytes === null || bytes === undefined || bytes.length === 0) {
      throw new DecodeError(
        'RXF_DECODE_EMPTY',
        'Expected MessagePack, got no value (a tombstone). Drop tombstones with `filterValue((value) => value !== null)` first.',
      );
    }
    const value = new MessagePackReader(bytes, timestamps === 'truncated').all();
    return shape === undefined ? value : shape(value);
  };
}
