import { DecodeError, describeError } from '../core/errors.js';
import { expectOneOf, expectWhole, withDefaults } from '../core/options.js';
import { MiB } from '../core/units.js';
import { type Decoder, type DecoderLike, decoderOf } from './decoder.js';
import { faultOf, type InflatedCodec } from './inflate/fault.js';
import { inflateLz4 } from './inflate/lz4.js';
import { inflateSnappy, isXerial } from './inflate/snappy.js';
import { inflateZlib } from './inflate/zlib.js';
import { inflateZstd } from './inflate/zstd.js';
import { bufferOf } from './json.js';

export interface DecompressOptions {
  /**
   * How the bytes are compressed. `gzip`: members. `deflate`: zlib streams. `zstd`: frames. `lz4`: frames. `snappy`: raw, or in the frames of
   * Java's snappy-java. `auto`: the one of gzip, zstd, lz4 and snappy-java whose first bytes they have; other bytes are taken as they are.
   * Default `auto`.
   */
  readonly codec?: 'auto' | InflatedCodec;
  /** The most bytes that a value may decompress to. Default 16 MiB. */
  readonly maxBytes?: number;
}

/** The defaults of `decompress`. */
export const DECOMPRESS_DEFAULTS = { codec: 'auto', maxBytes: 16 * MiB } as const satisfies Required<DecompressOptions>;

/**
 * A decoder of compressed values: decompresses the bytes, and gives them to another decoder.
 *
 * ```ts
 * import { gzipSync } from 'node:zlib';
 * import { json } from 'rxflume';
 * import { decompress } from 'rxflume/formats';
 *
 * const decoder = decompress(json(), { codec: 'gzip', maxBytes: 1_000_000 });
 * decoder(gzipSync('{"id":7}')); // → { id: 7 }
 * ```
 *
 * Bounds: `maxBytes`. A size that is declared is checked before anything is allocated; otherwise decompression stops at the limit. A
 * window of zstd may have as many, or 8 MiB. Runs on the main thread.
 * Fails: `RXF_DECODE_EMPTY` for null or no bytes, `RXF_DECODE_TOO_LARGE` beyond `maxBytes`, `RXF_DECODE_SYNTAX` for bytes that are not
 * what the codec writes to their last one; and as the other decoder.
 * Source: RFC 1950, RFC 1952, RFC 8878; lz4_Frame_format.md; snappy's format_description.txt, snappy-java's SnappyOutputStream.
 */
export function decompress<A>(
  decoder: DecoderLike<Buffer, A>,
  options: DecompressOptions = {},
): Decoder<Uint8Array | null, A> {
  const inner = decoderOf(decoder);
  const { codec, maxBytes } = withDefaults('decompress options', DECOMPRESS_DEFAULTS, options);
  expectOneOf('codec', codec, ['auto', 'gzip', 'deflate', 'snappy', 'lz4', 'zstd']);
  expectWhole('maxBytes', maxBytes, 1, 2 ** 30);
  return (bytes) => {
    if (bytes === null || bytes === undefined || bytes.length === 0) {
      throw new DecodeError(
        'RXF_DECODE_EMPTY',
        'Expected compressed bytes, got no value (a tombstone). Drop tombstones with `filterValue((value) => value !== null)` first.',
      );
    }
    const from = bufferOf(bytes);
    const found = codec === 'auto' ? codecOf(from) : codec;
    return inner(found === undefined ? from : inflate(found, from, maxBytes));
  };
}

/** No writer of zstd needs a larger window, unless it is asked to. */
const WINDOW_BYTES = 8 * MiB;

function inflate(codec: InflatedCodec, from: Buffer, maxBytes: number): Buffer {
  try {
    switch (codec) {
      case 'gzip':
      case 'deflate':
        return inflateZlib(codec, from, maxBytes);
      case 'snappy':
        return inflateSnappy(from, maxBytes);
      case 'lz4':
        return inflateLz4(from, maxBytes);
      case 'zstd':
        return inflateZstd(from, maxBytes, Math.max(WINDOW_BYTES, maxBytes));
    }
  } catch (error) {
    const fault = faultOf(codec, error);
    if (fault.isTooLarge) {
      throw new DecodeError(
        'RXF_DECODE_TOO_LARGE',
        `${from.length} bytes of ${codec} decompress to more than \`maxBytes\`, which is ${maxBytes}. Raise \`maxBytes\` of ` +
          'decompress to read them, or set such values aside.',
        { details: { codec, maxBytes, length: from.length } },
      );
    }
    const why = fault.cause === undefined ? '' : ` (${describeError(fault.cause)})`;
    throw new DecodeError(
      'RXF_DECODE_SYNTAX',
      `Not ${codec}: ${fault.message}${why}; it starts with ${from.toString('hex', 0, 8)} (hex). Set \`codec\` of decompress to ` +
        'what the producer uses.',
      { cause: fault, details: { codec, length: from.length } },
    );
  }
}

const GZIP = 0x8b1f;
const ZSTD = 0xfd2fb528;
const LZ4 = 0x184d2204;

/** The codec that bytes begin like. Raw snappy and zlib streams begin like many other bytes. */
function codecOf(from: Buffer): InflatedCodec | undefined {
  if (from.length < 4) return undefined;
  if (from.readUInt16LE(0) === GZIP) return 'gzip';
  const magic = from.readUInt32LE(0);
  if (magic === ZSTD) return 'zstd';
  if (magic === LZ4) return 'lz4';
  return isXerial(from) ? 'snappy' : undefined;
}
