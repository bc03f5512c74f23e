import { createRequire } from 'node:module';
import * as zlib from 'node:zlib';
import { faultOf, InflateFault, MAX_PARTS } from './fault.js';

/** What Node has since 22.15. */
interface ZstdOfNode {
  readonly zstdDecompressSync?: (from: Buffer, options: { maxOutputLength: number }) => Buffer;
}

const { zstdDecompressSync } = zlib as ZstdOfNode;

/** The largest window that zstd itself takes unasked. */
const MAX_WINDOW_BYTES = 128 << 20;

/**
 * Inflates zstd frames, one after the other, by Node where it can, else in plain JavaScript, which does not verify checksums.
 *
 * Bounds: what the header of each frame asks for is checked before anything is allocated; stops as soon as it is more than `most`.
 * A window, which a frame names, may have `maxWindowBytes`; 1,000 frames.
 * Source: RFC 8878.
 */
export function inflateZstd(from: Buffer, most: number, maxWindowBytes = MAX_WINDOW_BYTES): Buffer {
  const inflate = zstdDecompressSync;
  if (inflate === undefined) return inflateZstdPlain(from, most, maxWindowBytes);
  return inflateFrames(from, most, maxWindowBytes, (frame, room) => {
    const inflated = inflate(frame, { maxOutputLength: Math.max(room, 1) });
    if (inflated.length > room) throw new InflateFault('zstd', 'too large');
    return inflated;
  });
}

let library: typeof import('fzstd') | undefined;

/** The same in plain JavaScript on every Node. Loads its library at the first call. */
export function inflateZstdPlain(from: Buffer, most: number, maxWindowBytes = MAX_WINDOW_BYTES): Buffer {
  library ??= createRequire(import.meta.url)('fzstd') as typeof import('fzstd');
  const { Decompress } = library;
  return inflateFrames(from, most, maxWindowBytes, (frame, room) => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    const inflate = new Decompress((chunk) => {
      length += chunk.length;
      if (length > room) throw new InflateFault('zstd', 'too large');
      chunks.push(chunk);
    });
    inflate.push(frame, true);
    return Buffer.concat(chunks, length);
  });
}

type InflateFrame = (frame: Buffer, room: number) => Buffer;

function inflateFrames(from: Buffer, most: number, maxWindowBytes: number, inflate: InflateFrame): Buffer {
  const frames = framesOf(from);
  if (frames.length > MAX_PARTS) throw corrupt();
  for (const { window } of frames) {
    if (window <= maxWindowBytes) continue;
    throw new InflateFault('zstd', `in need of a window of more than ${maxWindowBytes} bytes`);
  }
  if (frames.reduce((sum, { size }) => sum + size, 0) > most) throw new InflateFault('zstd', 'too large');
  const parts: Buffer[] = [];
  let length = 0;
  for (const { bytes, size } of frames) {
    try {
      const part = inflate(bytes, most - length);
      if (part.length < size) throw new InflateFault('zstd', 'corrupt');
      parts.push(part);
      length += part.length;
    } catch (error) {
      throw faultOf('zstd', error);
    }
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, length);
}

interface Frame {
  readonly bytes: Buffer;
  /** What it says that it inflates to, 0 where it does not. */
  readonly size: number;
  /** What it says that must be held while it is inflated, 0 where that is its size. */
  readonly window: number;
}

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const REPEATED_BLOCK = 1;
const RESERVED_BLOCK = 3;

/** The frames, whose blocks are passed over, so that nothing is left behind the last. */
function framesOf(from: Buffer): Frame[] {
  const frames: Frame[] = [];
  let at = 0;
  while (at < from.length) {
    const magic = numberAt(from, at, 4);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      at += 8 + numberAt(from, at + 4, 4);
      continue;
    }
    if (magic !== MAGIC) throw corrupt();
    const header = headerOf(from, at);
    const start = at;
    at = header.end;
    for (let isLast = false; !isLast; ) {
      const block = numberAt(from, at, 3);
      isLast = (block & 1) === 1;
      const type = (block >>> 1) & 3;
      if (type === RESERVED_BLOCK) throw corrupt();
      at += 3 + (type === REPEATED_BLOCK ? 1 : block >>> 3);
    }
    if (header.hasChecksum) at += 4;
    frames.push({ bytes: from.subarray(start, at), size: header.size, window: header.window });
  }
  if (at !== from.length) throw corrupt();
  return frames;
}

/** Source: RFC 8878, 3.1.1.1: a frame names its window, or is one segment of a size it names. */
function headerOf(from: Buffer, start: number) {
  const descriptor = numberAt(from, start + 4, 1);
  const isOneSegment = (descriptor & 0x20) !== 0;
  const byte = isOneSegment ? 0 : numberAt(from, start + 5, 1);
  const window = isOneSegment ? 0 : 2 ** (10 + (byte >>> 3)) * (1 + (byte & 7) / 8);
  const at = start + (isOneSegment ? 5 : 6) + ([0, 1, 2, 4][descriptor & 3] as number);
  const bytes = [isOneSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6] as number;
  const size = bytes === 0 ? 0 : numberAt(from, at, bytes) + (bytes === 2 ? 256 : 0);
  return { end: at + bytes, size, window, hasChecksum: (descriptor & 4) !== 0 };
}

function numberAt(from: Buffer, at: number, bytes: number): number {
  if (at + bytes > from.length) throw corrupt();
  return bytes === 8 ? Number(from.readBigUInt64LE(at)) : from.readUIntLE(at, bytes);
}

function corrupt(): Error {
  return new InflateFault('zstd', 'corrupt');
}
