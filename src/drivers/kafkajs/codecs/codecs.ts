import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { compress as compressSnappy } from 'snappyjs';
import { faultOf, type InflatedCodec } from '../../../formats/inflate/fault.js';
import { inflateLz4 } from '../../../formats/inflate/lz4.js';
import { inflateSnappy } from '../../../formats/inflate/snappy.js';
import { inflateZstd } from '../../../formats/inflate/zstd.js';
import { deflateLz4 } from './lz4.js';

/** A codec as kafkajs takes it: an encoder has what was written in `buffer`. */
export interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(compressed: Buffer): Promise<Buffer>;
}

interface CodecLimits {
  /** The most bytes one batch may inflate to. */
  readonly maxBatchBytes: number;
}

const gzip = promisify(zlib.gzip);
const gunzip = promisify(zlib.gunzip) as (from: Buffer, options: zlib.ZlibOptions) => Promise<Buffer>;

/** Codecs by the number that a batch names them with. What inflates to more than the limit fails before it is held. */
export function createCodecs({ maxBatchBytes }: CodecLimits): Record<1 | 2 | 3 | 4, Codec> {
  const decompress = (codec: InflatedCodec, inflate: (from: Buffer, most: number) => Buffer | Promise<Buffer>) => {
    return async (from: Buffer) => {
      try {
        return await inflate(from, maxBatchBytes);
      } catch (error) {
        throw batchError(codec, error, maxBatchBytes);
      }
    };
  };
  return {
    1: {
      compress: ({ buffer }) => gzip(buffer),
      decompress: decompress('gzip', (from, most) => gunzip(from, { maxOutputLength: most })),
    },
    2: {
      compress: async ({ buffer }) => Buffer.from(compressSnappy(buffer)),
      decompress: decompress('snappy', inflateSnappy),
    },
    3: {
      compress: async ({ buffer }) => deflateLz4(buffer),
      decompress: decompress('lz4', inflateLz4),
    },
    4: {
      compress: async ({ buffer }) => deflateZstd(buffer),
      decompress: decompress('zstd', (from, most) => inflateZstd(from, most)),
    },
  };
}

function batchError(codec: InflatedCodec, error: unknown, most: number): unknown {
  const fault = faultOf(codec, error);
  if (fault.isTooLarge) {
    return new RangeError(
      `a ${codec} batch decompresses to more than ${most} bytes; raise \`maxBatchBytes\` to read it`,
    );
  }
  return fault;
}

const { zstdCompressSync } = zlib as { readonly zstdCompressSync?: (from: Buffer) => Buffer };

/** Whether this Node can write zstd. */
export const canDeflateZstd = zstdCompressSync !== undefined;

/** Deflates by Node, where it can. */
function deflateZstd(plain: Buffer): Buffer {
  if (zstdCompressSync === undefined) throw new Error('writing zstd needs Node 22.15 or later');
  return zstdCompressSync(plain);
}
