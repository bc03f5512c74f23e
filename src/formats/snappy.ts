/** Bytes are compressed in fragments of so many, each by itself: a copy reaches back no further. */
const FRAGMENT_BYTES = 65_536;
/** The last bytes of a fragment are never the start of a copy. */
const MARGIN = 15;
const TABLE_BITS = 14;
const MULTIPLIER = 0x1e35a7bd;
/** After so many positions without a match every second is tried, then every third, and so on. */
const SKIP_BITS = 5;
/** Up to so many bytes are copied one by one, which is faster than a call into the engine. */
const SHORT = 24;
const MAX_COPY = 64;

/** The last position of each hash, and the bytes of one fragment: no fragment is interrupted, so all share them. */
const table = new Uint16Array(1 << TABLE_BITS);
const scratch = new Uint8Array(32 + FRAGMENT_BYTES + Math.ceil(FRAGMENT_BYTES / 6));

/**
 * Compresses bytes to raw Snappy, a fragment of 64 KiB at a time, so that a long piece of work can be done in slices. The bytes are the
 * same however it was sliced.
 *
 * Bounds: the compressed bytes twice, while they are joined.
 * Source: Snappy's `format_description.txt`, and `snappy.cc` 1.2 for the hash and what is skipped.
 */
export class SnappyCompression {
  readonly #plain: Uint8Array;
  readonly #view: DataView;
  readonly #parts: Uint8Array[] = [];
  #at = 0;

  constructor(plain: Uint8Array) {
    this.#plain = plain;
    this.#view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
    this.#parts.push(lengthOf(plain.length));
  }

  get isDone(): boolean {
    return this.#at === this.#plain.length;
  }

  /** Compresses the next fragment, and returns how many plain bytes it was. */
  next(): number {
    const end = Math.min(this.#plain.length, this.#at + FRAGMENT_BYTES);
    const written = compressFragment(this.#plain, this.#view, this.#at, end);
    this.#parts.push(scratch.slice(0, written));
    const bytes = end - this.#at;
    this.#at = end;
    return bytes;
  }

  /** All of it, once it is done. */
  compressed(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** Bytes as raw Snappy, at once. */
export function snappy(plain: Uint8Array): Buffer {
  const compression = new SnappyCompression(plain);
  while (!compression.isDone) compression.next();
  return compression.compressed();
}

/** Seven bits a byte, the lowest first. */
function lengthOf(bytes: number): Uint8Array {
  const varint: number[] = [];
  for (let left = bytes; ; left >>>= 7) {
    if (left < 0x80) return Uint8Array.from([...varint, left]);
    varint.push((left & 0x7f) | 0x80);
  }
}

/** Compresses `input` from `start` to `end` into `scratch`, and returns the length. */
function compressFragment(input: Uint8Array, view: DataView, start: number, end: number): number {
  const limit = end - MARGIN;
  let to = 0;
  let emitted = start;
  if (limit > start) {
    const bits = Math.min(TABLE_BITS, 32 - Math.clz32(end - start - 1));
    const shift = 32 - bits;
    table.fill(0, 0, 1 << bits);
    let at = start + 1;
    let skip = 1 << SKIP_BITS;
    while (at <= limit) {
      const four = view.getInt32(at, true);
      const slot = Math.imul(four, MULTIPLIER) >>> shift;
      let from = start + (table[slot] as number);
      table[slot] = at - start;
      if (view.getInt32(from, true) !== four) {
        const step = skip >> SKIP_BITS;
        at += step;
        skip += step;
        continue;
      }
      to = emitLiteral(input, emitted, at, to);
      for (;;) {
        const length = 4 + matchLength(input, view, from + 4, at + 4, end);
        to = emitCopy(at - from, length, to);
        at += length;
        emitted = at;
        if (at > limit) break;
        table[Math.imul(view.getInt32(at - 1, true), MULTIPLIER) >>> shift] = at - 1 - start;
        const next = view.getInt32(at, true);
        const nextSlot = Math.imul(next, MULTIPLIER) >>> shift;
        from = start + (table[nextSlot] as number);
        table[nextSlot] = at - start;
        if (view.getInt32(from, true) !== next) break;
      }
      at += 1;
      skip = 1 << SKIP_BITS;
    }
  }
  return emitLiteral(input, emitted, end, to);
}

/** How many bytes from `from` on are those from `at` on, up to `end`. */
function matchLength(input: Uint8Array, view: DataView, from: number, at: number, end: number): number {
  let length = 0;
  while (at + length + 4 <= end) {
    const difference = view.getInt32(from + length, true) ^ view.getInt32(at + length, true);
    if (difference !== 0) return length + ((31 - Math.clz32(difference & -difference)) >> 3);
    length += 4;
  }
  while (at + length < end && input[from + length] === input[at + length]) length += 1;
  return length;
}

function emitLiteral(input: Uint8Array, start: number, end: number, at: number): number {
  const length = end - start;
  if (length === 0) return at;
  let to = at;
  if (length <= 60) {
    scratch[to++] = (length - 1) << 2;
  } else if (length <= 256) {
    scratch[to++] = 60 << 2;
    scratch[to++] = length - 1;
  } else {
    scratch[to++] = 61 << 2;
    scratch[to++] = (length - 1) & 0xff;
    scratch[to++] = (length - 1) >> 8;
  }
  if (length > SHORT) scratch.set(input.subarray(start, end), to);
  else for (let index = 0; index < length; index += 1) scratch[to + index] = input[start + index] as number;
  return to + length;
}

/** Copies are of 4 to 64 bytes: of what is longer, four bytes at least are left for the last. */
function emitCopy(offset: number, length: number, at: number): number {
  let to = at;
  let left = length;
  for (; left >= MAX_COPY + 4; left -= MAX_COPY) to = emitCopyOfTwo(offset, MAX_COPY, to);
  if (left > MAX_COPY) {
    to = emitCopyOfTwo(offset, MAX_COPY - 4, to);
    left -= MAX_COPY - 4;
  }
  if (left >= 12 || offset >= 2_048) return emitCopyOfTwo(offset, left, to);
  scratch[to++] = 1 | ((left - 4) << 2) | ((offset >> 8) << 5);
  scratch[to++] = offset & 0xff;
  return to;
}

/** A copy with an offset of two bytes. */
function emitCopyOfTwo(offset: number, length: number, at: number): number {
  scratch[at] = 2 | ((length - 1) << 2);
  scratch[at + 1] = offset & 0xff;
  scratch[at + 2] = offset >> 8;
  return at + 3;
}
