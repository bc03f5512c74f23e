import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { compress as compressSnappy } from 'snappyjs';
import { deflateLz4, inflateLz4 } from './lz4.js';
import { inflateSnappy } from './snappy.js';
import { inflateError } from './too-large.js';
import { deflateZstd, inflateZstd } from './zstd.js';

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
  return {
    1: {
      compress: ({ buffer }) => gzip(buffer),
      decompress: (from) =>
        gunzip(from, { maxOutputLength: maxBatchBytes }).catch((error: unknown) => {
          throw inflateError('gzip', error, maxBatchBytes);
        }),
    },
    2: {
      compress: async ({ buffer }) => Buffer.from(compressSnappy(buffer)),
      decompress: async (from) => inflateSnappy(from, maxBatchBytes),
    },
    3: {
      compress: async ({ buffer }) => deflateLz4(buffer),
      decompress: async (from) => inflateLz4(from, maxBatchBytes),
    },
    4: {
      compress: async ({ buffer }) => deflateZstd(buffer),
      decompress: async (from) => inflateZstd(from, maxBatchBytes),
    },
  };
}
