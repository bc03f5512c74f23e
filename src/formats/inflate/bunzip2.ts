const BLOCK_MAGIC = 0x314159265359;
const END_MAGIC = 0x177245385090;
const MAX_CODE_BITS = 20;
const GROUP_SYMBOLS = 50;
const PEEK_BITS = 24;
/** In each hundred thousand bytes of a block. */
const LEVEL_BYTES = 100_000;

/** Thrown where the bytes end within what is decoded; it is decoded again when there are more. */
class MoreNeeded extends Error {}

/** The bytes are not bzip2, or damaged. */
export class Bzip2Fault extends Error {}

/**
 * Decompresses bzip2, a block at a time: `push` a chunk, then call `next` until it gives nothing. Streams that follow each other
 * are one.
 *
 * Bounds: the compressed bytes of one block and one chunk; 4.5 MB of tables; a block gives at most 46 MB.
 * Fails: `Bzip2Fault` for what is not bzip2, also where a checksum differs.
 * Source: bzip2 1.0.8, `decompress.c`, `huffman.c`.
 */
export class Bunzip2 {
  #bytes: Buffer = Buffer.alloc(0);
  /** The position in the bytes, in bits. */
  #at = 0;
  /** Of the stream that is under way; 0 between two. */
  #blockBytes = 0;
  #streamCrc = 0;
  #streams = 0;

  push(chunk: Buffer): void {
    const rest = this.#bytes.subarray(this.#at >>> 3);
    this.#bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    this.#at &= 7;
  }

  /** The bytes of the next block, undefined where more are needed for it. */
  next(): Buffer | undefined {
    for (;;) {
      const [start, crc] = [this.#at, this.#streamCrc];
      try {
        const block = this.#part();
        if (block !== undefined && block.length > 0) return block;
      } catch (error) {
        // A code at the very end may seem to be none, since zeros stand for what has not come.
        if (!(error instanceof MoreNeeded) && this.#at + PEEK_BITS <= this.#bytes.length * 8) throw error;
        this.#at = start;
        this.#streamCrc = crc;
        return undefined;
      }
    }
  }

  /** No more bytes come. Fails where a stream is not whole. */
  end(): void {
    if (this.#blockBytes !== 0 || this.#streams === 0) throw new Bzip2Fault('it ends within a block');
  }

  /** A header, a block or an end. */
  #part(): Buffer | undefined {
    if (this.#blockBytes === 0) {
      this.#header();
      return undefined;
    }
    const magic = this.#bits(24) * 2 ** 24 + this.#bits(24);
    const crc = this.#bits(16) * 2 ** 16 + this.#bits(16);
    if (magic === BLOCK_MAGIC) {
      const block = this.#block(crc);
      this.#streamCrc = (((this.#streamCrc << 1) | (this.#streamCrc >>> 31)) ^ crc) >>> 0;
      return block;
    }
    if (magic !== END_MAGIC) throw new Bzip2Fault('a block has no beginning');
    if (crc !== this.#streamCrc) throw new Bzip2Fault('the checksum of a stream differs');
    this.#at = (this.#at + 7) & ~7;
    this.#blockBytes = 0;
    this.#streams += 1;
    return undefined;
  }

  #header(): void {
    const magic = this.#bits(24);
    const level = this.#bits(8) - 0x30;
    if (magic !== 0x425a68 || level < 1 || level > 9) throw new Bzip2Fault('it does not begin with `BZh`');
    this.#blockBytes = level * LEVEL_BYTES;
    this.#streamCrc = 0;
  }

  #block(crc: number): Buffer {
    if (this.#bits(1) === 1) throw new Bzip2Fault('a block is randomised, as no writer has it since 1998');
    const origin = this.#bits(24);
    const used = this.#usedBytes();
    const groups = this.#bits(3);
    const selectors = this.#selectors(groups);
    const tables = Array.from({ length: groups }, () => new HuffmanTable(this.#codeLengths(used.length + 2)));
    const { last, counts } = this.#symbols(used, selectors, tables);
    if (origin >= last.length) throw new Bzip2Fault('a block begins outside of itself');
    const block = expand(last, counts, origin);
    if (crcOf(block) !== crc) throw new Bzip2Fault('the checksum of a block differs');
    return block;
  }

  #usedBytes(): number[] {
    const ranges = this.#bits(16);
    const used: number[] = [];
    for (let range = 0; range < 16; range += 1) {
      if ((ranges & (0x8000 >>> range)) === 0) continue;
      const bytes = this.#bits(16);
      for (let byte = 0; byte < 16; byte += 1) if ((bytes & (0x8000 >>> byte)) !== 0) used.push(range * 16 + byte);
    }
    if (used.length === 0) throw new Bzip2Fault('a block uses no byte');
    return used;
  }

  #selectors(groups: number): Uint8Array {
    if (groups < 2 || groups > 6) throw new Bzip2Fault('a block has a wrong number of tables');
    const count = this.#bits(15);
    if (count === 0) throw new Bzip2Fault('a block has no selectors');
    const order = Array.from({ length: groups }, (_, group) => group);
    const selectors = new Uint8Array(count);
    for (let at = 0; at < count; at += 1) {
      let index = 0;
      while (this.#bits(1) === 1) {
        index += 1;
        if (index >= groups) throw new Bzip2Fault('a selector names no table');
      }
      const [group = 0] = order.splice(index, 1);
      order.unshift(group);
      selectors[at] = group;
    }
    return selectors;
  }

  #codeLengths(symbols: number): Uint8Array {
    const lengths = new Uint8Array(symbols);
    let length = this.#bits(5);
    for (let symbol = 0; symbol < symbols; symbol += 1) {
      for (;;) {
        if (length < 1 || length > MAX_CODE_BITS) throw new Bzip2Fault('a code has a wrong length');
        if (this.#bits(1) === 0) break;
        length += this.#bits(1) === 0 ? 1 : -1;
      }
      lengths[symbol] = length;
    }
    return lengths;
  }

  /** The last column of the sorted block, and how often each byte is in it. */
  #symbols(used: readonly number[], selectors: Uint8Array, tables: readonly HuffmanTable[]) {
    const column = new Uint8Array(this.#blockBytes);
    const counts = new Uint32Array(256);
    const front = Uint8Array.from(used);
    const end = used.length + 1;
    let [length, run, weight] = [0, 0, 1];
    const put = (byte: number, times: number) => {
      if (length + times > column.length) throw new Bzip2Fault('a block is longer than it may be');
      column.fill(byte, length, length + times);
      length += times;
      counts[byte] = (counts[byte] as number) + times;
    };
    for (let group = 0; group < selectors.length; group += 1) {
      const table = tables[selectors[group] as number] as HuffmanTable;
      for (let at = 0; at < GROUP_SYMBOLS; at += 1) {
        const found = table.find(this.#peek());
        this.#at += found & 31;
        if (this.#at > this.#bytes.length * 8) throw new MoreNeeded();
        const symbol = found >>> 5;
        if (symbol < 2) {
          run += weight << symbol;
          weight *= 2;
          if (run > column.length) throw new Bzip2Fault('a block is longer than it may be');
          continue;
        }
        if (run > 0) put(front[0] as number, run);
        [run, weight] = [0, 1];
        if (symbol === end) return { last: column.subarray(0, length), counts };
        const byte = front[symbol - 1] as number;
        front.copyWithin(1, 0, symbol - 1);
        front[0] = byte;
        if (length === column.length) throw new Bzip2Fault('a block is longer than it may be');
        column[length] = byte;
        length += 1;
        counts[byte] = (counts[byte] as number) + 1;
      }
    }
    throw new Bzip2Fault('a block has no end');
  }

  /** The next bits, at most 24. */
  #bits(count: number): number {
    const bits = this.#peek() >>> (24 - count);
    this.#at += count;
    if (this.#at > this.#bytes.length * 8) throw new MoreNeeded();
    return bits;
  }

  /** The next 24 bits; zeros behind the end. */
  #peek(): number {
    const bytes = this.#bytes;
    const first = this.#at >>> 3;
    const word =
      ((bytes[first] ?? 0) << 24) |
      ((bytes[first + 1] ?? 0) << 16) |
      ((bytes[first + 2] ?? 0) << 8) |
      (bytes[first + 3] ?? 0);
    return (word << (this.#at & 7)) >>> 8;
  }
}

/** Canonical codes, as they are read bit by bit. */
class HuffmanTable {
  readonly #least: number;
  /** By length: the largest code, and what to add to a code to find its symbol. */
  readonly #limits = new Int32Array(MAX_CODE_BITS + 2).fill(-1);
  readonly #bases = new Int32Array(MAX_CODE_BITS + 2);
  readonly #symbols: readonly number[];

  constructor(lengths: Uint8Array) {
    const byLength = Array.from({ length: MAX_CODE_BITS + 1 }, () => [] as number[]);
    for (const [symbol, length] of lengths.entries()) (byLength[length] as number[]).push(symbol);
    this.#symbols = byLength.flat();
    this.#least = byLength.findIndex((symbols) => symbols.length > 0);
    let [code, before] = [0, 0];
    for (let length = this.#least; length <= MAX_CODE_BITS; length += 1) {
      const { length: count } = byLength[length] as number[];
      this.#bases[length] = before - code;
      code += count;
      before += count;
      this.#limits[length] = code - 1;
      code <<= 1;
    }
  }

  /** The symbol whose code the 24 bits begin with, and in the lowest 5 bits how long that is. */
  find(bits: number): number {
    for (let length = this.#least; length <= MAX_CODE_BITS; length += 1) {
      const code = bits >>> (24 - length);
      if (code > (this.#limits[length] as number)) continue;
      const symbol = this.#symbols[code + (this.#bases[length] as number)];
      if (symbol === undefined) break;
      return (symbol << 5) | length;
    }
    throw new Bzip2Fault('a code has no symbol');
  }
}

/** Undoes the sorting, then the runs: four equal bytes are followed by how many more there are. */
function expand(last: Uint8Array, counts: Uint32Array, origin: number): Buffer {
  const next = new Uint32Array(last.length);
  const starts = new Uint32Array(256);
  for (let byte = 1; byte < 256; byte += 1) starts[byte] = (starts[byte - 1] as number) + (counts[byte - 1] as number);
  for (let at = 0; at < last.length; at += 1) {
    const byte = last[at] as number;
    next[starts[byte] as number] = at;
    starts[byte] = (starts[byte] as number) + 1;
  }
  let out: Buffer = Buffer.allocUnsafe(last.length);
  let [length, same, before] = [0, 0, -1];
  let at = next[origin] as number;
  for (let count = 0; count < last.length; count += 1) {
    const byte = last[at] as number;
    at = next[at] as number;
    const isCount = same === 4;
    const times = isCount ? byte : 1;
    if (length + times > out.length) out = Buffer.concat([out], Math.max(out.length * 2, length + times));
    if (isCount) out.fill(before, length, length + times);
    else out[length] = byte;
    length += times;
    if (isCount) same = 0;
    else same = byte === before ? same + 1 : 1;
    // What comes behind a count begins a run, also where it is equal.
    before = isCount ? -1 : byte;
  }
  return out.subarray(0, length);
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc >>> 0;
});

function crcOf(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (let at = 0; at < bytes.length; at += 1) {
    crc = ((crc << 8) ^ (CRC[(crc >>> 24) ^ (bytes[at] as number)] as number)) >>> 0;
  }
  return ~crc >>> 0;
}
