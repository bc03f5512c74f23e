import { InflateFault } from './fault.js';

/** What Java's producers put before their blocks: 0x82 `SNAPPY` 0, a version and the least version that can read it. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const XERIAL_HEADER_BYTES = 16;

/** Three bytes stand for at most 64. */
const MAX_RATIO = 22;

/**
 * Inflates snappy, raw or in the xerial frames of Java's producers (each block with its length before it).
 *
 * Bounds: the sizes are read and added up before any memory is taken.
 * Source: snappy's format_description.txt; xerial/snappy-java SnappyInputStream.
 */
export function inflateSnappy(from: Buffer, most: number): Buffer {
  if (!isXerial(from)) return inflateBlocks([from], most);
  const blocks: Buffer[] = [];
  if (from.length < XERIAL_HEADER_BYTES) throw corrupt();
  for (let at = XERIAL_HEADER_BYTES; at < from.length; ) {
    if (at + 4 > from.length) throw corrupt();
    const end = at + 4 + from.readUInt32BE(at);
    if (end > from.length) throw corrupt();
    blocks.push(from.subarray(at + 4, end));
    at = end;
  }
  return inflateBlocks(blocks, most);
}

/** Whether bytes begin as the frames of Java's producers. */
export function isXerial(from: Buffer): boolean {
  return from.subarray(0, XERIAL.length).equals(XERIAL);
}

function inflateBlocks(blocks: readonly Buffer[], most: number): Buffer {
  const lengths = blocks.map(readLength);
  const total = lengths.reduce((sum, { length }) => sum + length, 0);
  if (total > most) throw new InflateFault('snappy', 'too large');
  // Before so much is allocated for a few bytes.
  if (lengths.some(({ length }, at) => length > (blocks[at] as Buffer).length * MAX_RATIO)) throw corrupt();
  const out = Buffer.allocUnsafe(total);
  let at = 0;
  blocks.forEach((block, index) => {
    const { length, next } = lengths[index] as { length: number; next: number };
    inflateBlock(block, next, out, at, at + length);
    at += length;
  });
  return out;
}

function readLength(block: Buffer): { length: number; next: number } {
  let length = 0;
  for (let at = 0; at < 5; at += 1) {
    const byte = block[at];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return { length, next: at + 1 };
  }
  throw corrupt();
}

function inflateBlock(block: Buffer, next: number, out: Buffer, start: number, end: number): void {
  let from = next;
  let to = start;
  while (from < block.length) {
    const tag = block[from++] as number;
    const kind = tag & 3;
    let length: number;
    if (kind === 0) {
      length = (tag >>> 2) + 1;
      if (length > 60) {
        const size = length - 60;
        if (from + size > block.length) throw corrupt();
        length = block.readUIntLE(from, size) + 1;
        from += size;
      }
      if (from + length > block.length || to + length > end) throw corrupt();
      to = copyOver(block, from, out, to, length);
      from += length;
      continue;
    }
    let distance: number;
    const size = kind === 3 ? 4 : kind;
    if (from + size > block.length) throw corrupt();
    if (kind === 1) {
      length = ((tag >>> 2) & 7) + 4;
      distance = ((tag >>> 5) << 8) | (block[from] as number);
    } else {
      length = (tag >>> 2) + 1;
      distance = block.readUIntLE(from, size);
    }
    from += size;
    if (distance === 0 || distance > to - start || to + length > end) throw corrupt();
    to = copyBack(out, to, distance, length);
  }
  if (to !== end) throw corrupt();
}

/** Copies from another buffer; a call into C++ costs more than a short loop. */
export function copyOver(source: Buffer, from: number, out: Buffer, to: number, length: number): number {
  if (length > 32) {
    source.copy(out, to, from, from + length);
    return to + length;
  }
  for (let index = 0; index < length; index += 1) out[to + index] = source[from + index] as number;
  return to + length;
}

/** Copies from what was written `distance` before; the two may overlap, and then repeat. */
export function copyBack(out: Buffer, to: number, distance: number, length: number): number {
  if (length > 32 && distance >= length) {
    out.copyWithin(to, to - distance, to - distance + length);
    return to + length;
  }
  for (let index = 0; index < length; index += 1) out[to + index] = out[to + index - distance] as number;
  return to + length;
}

function corrupt(): Error {
  return new InflateFault('snappy', 'corrupt');
}
