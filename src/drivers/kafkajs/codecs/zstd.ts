import * as zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import { inflateError, tooLarge } from './too-large.js';

/** What Node has since 22.15. */
interface ZstdOfNode {
  readonly zstdDecompressSync?: (from: Buffer, options: { maxOutputLength: number }) => Buffer;
  readonly zstdCompressSync?: (from: Buffer) => Buffer;
}

const { zstdDecompressSync, zstdCompressSync } = zlib as ZstdOfNode;

/** Inflates zstd by Node where it can, else in plain JavaScript. Bounds: stops as soon as it is more than `most`. */
export function inflateZstd(from: Buffer, most: number): Buffer {
  if (zstdDecompressSync === undefined) return inflateZstdPlain(from, most);
  try {
    return zstdDecompressSync(from, { maxOutputLength: most });
  } catch (error) {
    throw inflateError('zstd', error, most);
  }
}

/** The largest window that zstd itself takes unasked. */
const MAX_WINDOW_BYTES = 128 << 20;

/** In plain JavaScript. What a frame's header asks for is checked before it is allocated. */
export function inflateZstdPlain(from: Buffer, most: number): Buffer {
  checkHeader(from, most);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const inflate = new Decompress((chunk) => {
    length += chunk.length;
    if (length > most) throw tooLarge('zstd', most);
    chunks.push(chunk);
  });
  inflate.push(from, true);
  return Buffer.concat(chunks, length);
}

/** Source: RFC 8878, 3.1.1.1: a frame names its window, or is one segment of a size it names. */
function checkHeader(from: Buffer, most: number): void {
  if (from.length < 6 || from.readUInt32LE(0) !== 0xfd2fb528) throw corrupt();
  const descriptor = from[4] as number;
  if ((descriptor & 0x20) === 0) {
    const window = from[5] as number;
    if (2 ** (10 + (window >>> 3)) * (1 + (window & 7) / 8) <= MAX_WINDOW_BYTES) return;
    throw new Error(`a zstd batch asks for a window of more than ${MAX_WINDOW_BYTES} bytes`);
  }
  const at = 5 + ([0, 1, 2, 4][descriptor & 3] as number);
  const bytes = [1, 2, 4, 8][descriptor >>> 6] as number;
  if (at + bytes > from.length) throw corrupt();
  const size = bytes === 8 ? Number(from.readBigUInt64LE(at)) : from.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0);
  if (size > most) throw tooLarge('zstd', most);
}

function corrupt(): Error {
  return new Error('a zstd batch is corrupt');
}

/** Whether this Node can write zstd. */
export const canDeflateZstd = zstdCompressSync !== undefined;

/** Deflates by Node, where it can. */
export function deflateZstd(plain: Buffer): Buffer {
  if (zstdCompressSync === undefined) throw new Error('writing zstd needs Node 22.15 or later');
  return zstdCompressSync(plain);
}
