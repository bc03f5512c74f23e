import zlib from 'node:zlib';
import { OptionError } from '../../core/errors.js';

/** How a whole file is compressed. */
export type FileCodec = 'gzip' | 'deflate' | 'zstd' | 'bzip2';

const BY_EXTENSION: Readonly<Record<string, FileCodec>> = {
  gz: 'gzip',
  gzip: 'gzip',
  deflate: 'deflate',
  zst: 'zstd',
  zstd: 'zstd',
  bz2: 'bzip2',
};

/** The codec that the extension of a file's name stands for; undefined where it stands for none. */
export function codecOfName(path: string): FileCodec | undefined {
  const extension = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase();
  return extension === undefined ? undefined : BY_EXTENSION[extension];
}

/** What decompresses a stream of bytes, and takes no more of them than are read. `zstd` requires Node 22.15 or later. */
export function inflateStream(codec: Exclude<FileCodec, 'bzip2'>): zlib.Gunzip {
  if (codec === 'gzip') return zlib.createGunzip();
  if (codec === 'deflate') return zlib.createInflate();
  const { createZstdDecompress } = zlib as typeof zlib & { readonly createZstdDecompress?: () => zlib.Gunzip };
  if (createZstdDecompress !== undefined) return createZstdDecompress();
  throw new OptionError(
    'RXF_OPTION_INVALID',
    `Expected files of zstd to be supported by this Node, got Node ${process.versions.node}. Use Node 22.15 or later, or other files.`,
  );
}
