import { from, lastValueFrom } from 'rxjs';
import { expectOneOf } from '../../core/options.js';
import { compressionOf } from '../compression.js';
import { SnappyCompression } from '../snappy.js';
import type { Work } from './slices.js';

export type ParquetCompression = 'none' | 'snappy' | 'gzip' | 'zstd';

/** Compresses pages: snappy in slices, the others in the thread pool. */
export interface PageCodec {
  /** Its name in the file. */
  readonly name: 'UNCOMPRESSED' | 'SNAPPY' | 'GZIP' | 'ZSTD';
  compress(page: Uint8Array): Work<Uint8Array | Promise<Uint8Array>>;
}

/** The codec of that name. Throws `OptionError`, also for `zstd` where Node lacks it. */
export function pageCodecOf(name: ParquetCompression): PageCodec {
  expectOneOf('compression', name, ['none', 'snappy', 'gzip', 'zstd']);
  if (name === 'none') return { name: 'UNCOMPRESSED', compress: unchanged };
  if (name === 'snappy') return { name: 'SNAPPY', compress: bySnappy };
  const compression = compressionOf(name);
  return {
    name: name === 'gzip' ? 'GZIP' : 'ZSTD',
    *compress(page) {
      yield 0;
      return lastValueFrom(from(compression.compress(page)));
    },
  };
}

function* unchanged(page: Uint8Array): Work<Uint8Array> {
  yield 0;
  return page;
}

function* bySnappy(page: Uint8Array): Work<Uint8Array> {
  const compression = new SnappyCompression(page);
  while (!compression.isDone) yield compression.next();
  return compression.compressed();
}
