import { from, lastValueFrom } from 'rxjs';
import { expectOneOf } from '../../core/options.js';
import { compressionOf } from '../compression.js';
import { rawSnappy } from '../hadoop-snappy.js';
import { bufferOf } from '../json.js';

export type ParquetCompression = 'none' | 'snappy' | 'gzip' | 'zstd';

/** Compresses pages: snappy at once, the others in the thread pool. */
export interface PageCodec {
  /** Its name in the file. */
  readonly name: 'UNCOMPRESSED' | 'SNAPPY' | 'GZIP' | 'ZSTD';
  compress(page: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** The codec of that name. Throws `OptionError`, also for `zstd` where Node lacks it. */
export function pageCodecOf(name: ParquetCompression): PageCodec {
  expectOneOf('compression', name, ['none', 'snappy', 'gzip', 'zstd']);
  if (name === 'none') return { name: 'UNCOMPRESSED', compress: (page) => page };
  if (name === 'snappy') return { name: 'SNAPPY', compress: (page) => rawSnappy(bufferOf(page)) };
  const compression = compressionOf(name);
  return {
    name: name === 'gzip' ? 'GZIP' : 'ZSTD',
    compress: (page) => lastValueFrom(from(compression.compress(page))),
  };
}
