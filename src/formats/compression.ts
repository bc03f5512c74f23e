import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { ObservableInput } from 'rxjs';
import { OptionError } from '../core/errors.js';
import { expectOneOf, expectOption, expectWhole } from '../core/options.js';
import { hadoopSnappy } from './hadoop-snappy.js';

/**
 * Compresses chunk by chunk: each becomes a whole gzip member, zlib stream, zstd frame or run of Snappy blocks, and a file is
 * their concatenation, which Hadoop's codecs read to its end. So chunks are compressed side by side in the thread pool, and
 * what was passed on can be read to its end even if the file is cut off later.
 *
 * Source: RFC 1952 §2.2, RFC 8878 §3; Hadoop 3.4.1, `DecompressorStream`, which begins anew behind the end of a stream.
 */
export interface Compression {
  readonly name: CompressionName;
  /** The ending it adds, without the dot; empty for none. */
  readonly extension: string;
  compress(chunk: Uint8Array): ObservableInput<Uint8Array>;
}

/** `deflate`: zlib streams, as Hadoop's `DefaultCodec`. `snappy`: Snappy in the blocks of Hadoop's `SnappyCodec`. */
export type CompressionName = 'none' | 'gzip' | 'deflate' | 'snappy' | 'zstd';

/** How the chunks of a file are compressed. */
export interface CompressionOptions {
  /** Default `none`. */
  readonly compression?: CompressionName;
  /** `gzip` and `deflate`: 1 to 9, default 6. `zstd`: 1 to 22, default 3. The others have none. */
  readonly compressionLevel?: number;
}

const NAMES: readonly CompressionName[] = ['none', 'gzip', 'deflate', 'snappy', 'zstd'];

/** The names of `CompressionOptions`, for those that check which options they know. */
export const COMPRESSION_OPTIONS = ['compression', 'compressionLevel'] as const;

/** The compression of that name and level; `zstd` requires Node 22.15 or later, otherwise throws `OptionError`. */
export function compressionOf(name: CompressionName = 'none', level?: number): Compression {
  expectOneOf('compression', name, NAMES);
  const most = MAX_LEVEL[name];
  if (most !== undefined && level !== undefined) expectWhole('compressionLevel', level, 1, most);
  expectOption(
    'compressionLevel',
    level,
    most !== undefined || level === undefined,
    `absent with compression '${name}'`,
  );
  switch (name) {
    case 'none':
      return { name, extension: '', compress: (chunk) => [chunk] };
    case 'gzip': {
      const gzip = promisify(zlib.gzip);
      return { name, extension: 'gz', compress: (chunk) => gzip(chunk, { level: level ?? 6 }) };
    }
    case 'deflate': {
      const deflate = promisify(zlib.deflate);
      return { name, extension: 'deflate', compress: (chunk) => deflate(chunk, { level: level ?? 6 }) };
    }
    case 'snappy':
      return { name, extension: 'snappy', compress: (chunk) => [hadoopSnappy(chunk)] };
    case 'zstd':
      return { name, extension: 'zst', compress: zstdOf(level) };
  }
}

const MAX_LEVEL: Readonly<Partial<Record<CompressionName, number>>> = { gzip: 9, deflate: 9, zstd: 22 };

/** Node's types know it only of later versions than the least that is supported. */
interface Zstd {
  readonly zstdCompress?: (
    chunk: Uint8Array,
    options: { readonly params?: Readonly<Record<number, number>> },
    done: (error: Error | null, result: Buffer) => void,
  ) => void;
  readonly constants: { readonly ZSTD_c_compressionLevel?: number };
}

function zstdOf(level: number | undefined): Compression['compress'] {
  const { zstdCompress, constants } = zlib as unknown as Zstd;
  if (zstdCompress === undefined) {
    throw new OptionError(
      'RXF_OPTION_INVALID',
      `Expected \`compression\` 'zstd' to be supported by this Node, got Node ${process.versions.node}. ` +
        "Use Node 22.15 or later, or compression 'gzip'.",
    );
  }
  const zstd = promisify(zstdCompress);
  const params = level === undefined ? {} : { [constants.ZSTD_c_compressionLevel as number]: level };
  return (chunk) => zstd(chunk, { params });
}
