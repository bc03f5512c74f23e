import { InflateFault } from './fault.js';
import { copyBack, copyOver } from './snappy.js';

const FRAME_MAGIC = 0x184d2204;
const SKIPPABLE_MAGIC = 0x184d2a50;
const MIN_MATCH = 4;

/** Bytes that a block of this frame may hold, by the number in its header. */
const BLOCK_BYTES: Readonly<Record<number, number>> = { 4: 64 << 10, 5: 256 << 10, 6: 1 << 20, 7: 4 << 20 };

/** A byte of a match stands for at most so many. */
const MAX_RATIO = 255;

/**
 * Inflates LZ4 frames, blocks independent or linked.
 *
 * Bounds: grows as it inflates, at most to `most`; checksums are not verified: those of Kafka cover its batches.
 * Source: lz4_Frame_format.md, lz4_Block_format.md.
 */
export function inflateLz4(from: Buffer, most: number): Buffer {
  const out = new Growing(most);
  let at = 0;
  while (at < from.length) {
    const magic = readAt(from, at);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      at += 8 + readAt(from, at + 4);
    } else if (magic === FRAME_MAGIC) {
      at = inflateFrame(from, at + 4, out);
    } else {
      throw corrupt();
    }
  }
  if (at !== from.length) throw corrupt();
  return out.bytes.subarray(0, out.length);
}

function inflateFrame(from: Buffer, start: number, out: Growing): number {
  const flags = from[start] ?? 0;
  const blockBytes = BLOCK_BYTES[((from[start + 1] ?? 0) >>> 4) & 7];
  if (flags >>> 6 !== 1 || blockBytes === undefined) throw corrupt();
  const hasBlockSum = (flags & 0x10) !== 0;
  const hasSize = (flags & 0x08) !== 0;
  const hasSum = (flags & 0x04) !== 0;
  const hasDictionary = (flags & 0x01) !== 0;
  if (hasDictionary) throw new InflateFault('lz4', 'compressed with a dictionary, which is not in it');
  const frameStart = out.length;
  let at = start + 2;
  if (hasSize) {
    if (at + 8 > from.length) throw corrupt();
    const size = Number(from.readBigUInt64LE(at));
    if (size > out.room) throw tooLarge();
    out.reserve(Math.min(size, (from.length - at) * MAX_RATIO));
    at += 8;
  }
  at += 1;
  for (;;) {
    const mark = readAt(from, at);
    at += 4;
    if (mark === 0) return at + (hasSum ? 4 : 0);
    const size = mark & 0x7fffffff;
    const end = at + size;
    if (end > from.length) throw corrupt();
    if (mark >>> 31 === 1) {
      if (size > blockBytes) throw corrupt();
      if (size > out.room) throw tooLarge();
      out.reserve(size);
      out.length = copyOver(from, at, out.bytes, out.length, size);
    } else {
      out.reserve(Math.min(blockBytes, size * MAX_RATIO + 64));
      inflateBlock(from, at, end, out, frameStart, out.length + blockBytes);
    }
    at = end + (hasBlockSum ? 4 : 0);
  }
}

function inflateBlock(from: Buffer, start: number, end: number, out: Growing, floor: number, limit: number): void {
  const { bytes } = out;
  const roof = Math.min(limit, bytes.length);
  let at = start;
  let to = out.length;
  while (at < end) {
    const token = from[at++] as number;
    let literals = token >>> 4;
    if (literals === 15) {
      let more: number;
      do {
        if (at >= end) throw corrupt();
        more = from[at++] as number;
        literals += more;
      } while (more === 255);
    }
    if (at + literals > end) throw corrupt();
    if (to + literals > roof) throw out.overflow();
    to = copyOver(from, at, bytes, to, literals);
    at += literals;
    if (at === end) break;
    if (at + 2 > end) throw corrupt();
    const distance = (from[at] as number) | ((from[at + 1] as number) << 8);
    at += 2;
    let length = token & 15;
    if (length === 15) {
      let more: number;
      do {
        if (at >= end) throw corrupt();
        more = from[at++] as number;
        length += more;
      } while (more === 255);
    }
    length += MIN_MATCH;
    if (distance === 0 || distance > to - floor) throw corrupt();
    if (to + length > roof) throw out.overflow();
    to = copyBack(bytes, to, distance, length);
  }
  out.length = to;
}

/** Bytes that grow by doubling, up to a limit. */
class Growing {
  bytes: Buffer = Buffer.allocUnsafe(0);
  length = 0;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** How many more the limit leaves. */
  get room(): number {
    return this.#most - this.length;
  }

  /** Makes room for so many more, or as many as the limit leaves. */
  reserve(more: number): void {
    const wanted = Math.min(this.length + more, this.#most);
    if (wanted <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.min(Math.max(wanted, this.bytes.length * 2), this.#most));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  overflow(): Error {
    return this.bytes.length >= this.#most ? tooLarge() : corrupt();
  }
}

function readAt(from: Buffer, at: number): number {
  if (at + 4 > from.length) throw corrupt();
  return from.readUInt32LE(at);
}

function corrupt(): Error {
  return new InflateFault('lz4', 'corrupt');
}

function tooLarge(): Error {
  return new InflateFault('lz4', 'too large');
}
