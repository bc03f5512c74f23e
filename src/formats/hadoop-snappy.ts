import { createRequire } from 'node:module';

/**
 * The most plain bytes of one block: what Hadoop's `SnappyCodec` cuts at, so that a block, compressed, always fits the 256 KiB
 * into which its reader inflates.
 */
export const SNAPPY_BLOCK_BYTES = 262_144 - (Math.floor(262_144 / 6) + 32);

const LENGTHS_BYTES = 8;

/**
 * Bytes as Hadoop's `SnappyCodec` writes them: blocks, each of its plain length and its compressed length in four bytes,
 * big-endian, then raw Snappy. Blocks written one after the other are one file. No bytes are no block, since one of no length
 * ends the file for Hadoop.
 *
 * Bounds: runs on the calling thread, a block at a time.
 * Source: Hadoop 3.4.1, `BlockCompressorStream`, `BlockDecompressorStream` and `SnappyCodec`.
 */
export function hadoopSnappy(plain: Uint8Array): Buffer {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < plain.length; at += SNAPPY_BLOCK_BYTES) {
    const block = Buffer.from(plain.buffer, plain.byteOffset + at, Math.min(plain.length - at, SNAPPY_BLOCK_BYTES));
    const compressed = rawSnappy(block);
    const lengths = Buffer.allocUnsafe(LENGTHS_BYTES);
    lengths.writeInt32BE(block.length, 0);
    lengths.writeInt32BE(compressed.length, 4);
    parts.push(lengths, compressed);
  }
  return Buffer.concat(parts);
}

let library: typeof import('snappyjs') | undefined;

/** Raw Snappy. Loads its library at the first call: a flow without it loads none but RxJS. */
export function rawSnappy(plain: Buffer): Uint8Array {
  library ??= createRequire(import.meta.url)('snappyjs') as typeof import('snappyjs');
  return library.compress(plain);
}
