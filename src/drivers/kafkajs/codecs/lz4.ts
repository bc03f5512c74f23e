import { compress } from 'lz4js';

/** Magic; version 1 with independent blocks, each of 4 MiB at most; the checksum of these two. */
const FRAME_HEADER = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73]);
const END_MARK = Buffer.alloc(4);
const MAX_BLOCK_BYTES = 4 << 20;

/**
 * Deflates into one frame of independent blocks, the only kind that Kafka reads. lz4js says of its frames that their blocks
 * depend on each other, so each block is taken out of a frame of its own.
 *
 * Source: Kafka's Lz4BlockInputStream.
 */
export function deflateLz4(plain: Buffer): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < plain.length; at += MAX_BLOCK_BYTES) {
    const frame = Buffer.from(compress(plain.subarray(at, at + MAX_BLOCK_BYTES)));
    blocks.push(frame.subarray(FRAME_HEADER.length, frame.length - END_MARK.length));
  }
  return Buffer.concat([FRAME_HEADER, ...blocks, END_MARK]);
}
