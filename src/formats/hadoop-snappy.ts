import { snappy } from './snappy.js';

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
    const block = plain.subarray(at, at + SNAPPY_BLOCK_BYTES);
    const compressed = snappy(block);
    const lengths = Buffer.allocUnsafe(LENGTHS_BYTES);
    lengths.writeInt32BE(block.length, 0);
    lengths.writeInt32BE(compressed.length, 4);
    parts.push(lengths, compressed);
  }
  return Buffer.concat(parts);
}
