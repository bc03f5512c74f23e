import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { ObservableInput } from 'rxjs';
import { OptionError } from '../core/errors.js';
import { expectOneOf } from '../core/options.js';

/**
 * Compresses chunk by chunk: each becomes a whole gzip member or zstd frame, and a file is their concatenation, which
 * both formats define (RFC 1952 §2.2, RFC 8878 §3). So chunks are compressed side by side in the thread pool, and what
 * was passed on can be read to its end even if the file is cut off later.
 */
export interface Compression {
  readonly name: CompressionName;
  /** The ending it adds, without the dot; empty for none. */
  readonly extension: string;
  compress(chunk: Uint8Array): ObservableInput<Uint8Array>;
}

export type CompressionName = 'none' | 'gzip' | 'zstd';

/** The compression of that name; `zstd` requires Node 22.15 or later, otherwise throws `OptionError`. */
export function compressionOf(name: CompressionName = 'none'): Compression {
  expectOneOf('compression', name, ['none', 'gzip', 'zstd']);
  if (name === 'none') return { name, extension: '', compress: (chunk) => [chunk] };
  if (name === 'gzip') {
    const gzip = promisify(zlib.gzip);
    return { name, extension: 'gz', compress: (chunk) => gzip(chunk, { level: 6 }) };
  }
  const { zstdCompress } = zlib as typeof zlib & {
    zstdCompress?: (chunk: Uint8Array, done: (error: Error | null, result: Buffer) => void) => void;
  };
  if (zstdCompress === undefined) {
    throw new OptionError(
      'RXF_OPTION_INVALID',
      `Expected \`compression\` 'zstd' to be supported by this Node, got Node ${process.versions.node}. ` +
        "Use Node 22.15 or later, or compression 'gzip'.",
    );
  }
  return { name, extension: 'zst', compress: promisify(zstdCompress) };
}
