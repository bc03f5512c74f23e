import { isWellFormed } from '../../core/text.js';
import { grown, Leaf, type LeafPages, type LeafPlace, Misfit, type Size } from './leaf.js';

/** What a value is as text or bytes; throws `Misfit`. */
export type ToBytes = (value: unknown) => string | Uint8Array;

/** Bytes before each value that say its length. */
const PREFIX = 4;
/** Texts up to so many characters are written one by one, which is faster than a call into Node. */
const SHORT = 48;
/** From so many bytes on, a call into Node compares faster. */
const LONG = 512;
/** From so many values on, a dictionary of more than half as many is given up. */
const DICTIONARY_FROM = 4_096;
/** Looked at for a value before the dictionary is given up: values can be made to have one hash. */
const MAX_PROBES = 64;
/** The indexes of more are written wrongly. */
const MAX_WORDS = 1 << 20;
/** Source: parquet-java 1.15, `ParquetMetadataConverter.MAX_STATS_SIZE`. */
const MAX_BOUNDS_BYTES = 4_096;
const FEW = 64;
const SAMPLE = 16;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * Texts and bytes, in UTF-8. While values repeat, each is kept once, in a dictionary; it is found by the hash of its bytes,
 * so that no text is held, nor what it was cut from.
 */
export class BytesLeaf extends Leaf {
  readonly #bytesOf: ToBytes;
  /** The words of the dictionary, or all values: each behind its length. */
  #buffer = Buffer.allocUnsafeSlow(256) as Utf8Buffer;
  #view = viewOf(this.#buffer);
  #at = 0;
  /** Where each word, or each value, starts. */
  #starts = new Uint32Array(FEW);
  #kept = 0;
  /** The word of each value; undefined where there is no dictionary any more. */
  #indexes: Uint32Array | undefined;
  /** The value that brought each word. */
  #broughtBy = new Uint32Array(FEW);
  /** Numbers of words, plus 1, by their hash. */
  #table = new Uint32Array(2 * FEW);
  #checkAt = DICTIONARY_FROM;

  constructor(place: LeafPlace, size: Size, bytesOf: ToBytes) {
    super(place, size);
    this.#bytesOf = bytesOf;
    this.#indexes = new Uint32Array(size.room);
  }

  protected append(value: unknown): void {
    const end = this.#write(this.#bytesOf(value));
    if (this.#indexes === undefined) {
      this.#keep(end);
      return;
    }
    const word = this.count >= this.#checkAt && !this.#isWorthIt() ? -1 : this.#find(end);
    if (word < 0) {
      this.#keep(this.#spellOut(end));
      return;
    }
    if (this.count === this.#indexes.length) this.#indexes = grown(this.#indexes, this.count + 1);
    this.#indexes[this.count] = word;
    this.size.bytes += 4;
  }

  protected override dropped(): void {
    const before = this.#kept;
    if (this.#indexes === undefined) this.#kept = this.count;
    else while (this.#kept > 0 && (this.#broughtBy[this.#kept - 1] as number) >= this.count) this.#kept -= 1;
    if (this.#kept === before) return;
    this.#at = this.#starts[this.#kept] as number;
    if (this.#indexes !== undefined) this.#rehash(this.#table.length);
  }

  pages(): LeafPages {
    const bytes = this.#buffer.subarray(0, this.#at);
    const bounds = this.#bounds();
    if (this.#indexes === undefined || this.#kept === 0) return { bytes, ...bounds };
    return { bytes, dictionary: { words: this.#kept, indexes: this.#indexes.subarray(0, this.count) }, ...bounds };
  }

  /** Writes a value behind its length after all that is kept, and returns its end. */
  #write(value: string | Uint8Array): number {
    const at = this.#at + PREFIX;
    const end = at + (typeof value === 'string' ? this.#writeText(value, at) : this.#writeBytes(value, at));
    this.#view.setUint32(this.#at, end - at, true);
    return end;
  }

  #writeBytes(value: Uint8Array, at: number): number {
    this.#makeRoom(at + value.length);
    this.#buffer.set(value, at);
    return value.length;
  }

  #writeText(value: string, at: number): number {
    if (!isWellFormed(value)) throw new Misfit(value, 'text without half of a surrogate pair, which UTF-8 cannot hold');
    this.#makeRoom(at + value.length * 3);
    const buffer = this.#buffer;
    if (value.length > SHORT) return buffer.utf8Write(value, at);
    for (let index = 0; index < value.length; index += 1) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return buffer.utf8Write(value, at);
      buffer[at + index] = code;
    }
    return value.length;
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes, this.#buffer.length + (this.#buffer.length >> 1)));
    larger.set(this.#buffer.subarray(0, this.#at));
    this.#hold(larger);
  }

  #hold(buffer: Buffer): void {
    this.#buffer = buffer as Utf8Buffer;
    this.#view = viewOf(buffer);
  }

  /** Keeps what was written up to `end` as the next word, or value. */
  #keep(end: number): void {
    if (this.#kept === this.#starts.length) this.#starts = grown(this.#starts, this.#kept + 1);
    this.#starts[this.#kept] = this.#at;
    this.#kept += 1;
    this.size.bytes += end - this.#at + 4;
    this.#at = end;
  }

  /** The word that was written up to `end`: one that is kept already, or a new one. −1 where the dictionary is to be given up. */
  #find(end: number): number {
    const mask = this.#table.length - 1;
    let slot = hashOf(this.#view, this.#at, end) & mask;
    for (let probes = 0; probes < MAX_PROBES; probes += 1) {
      const word = (this.#table[slot] as number) - 1;
      if (word < 0) return this.#newWord(slot, end);
      if (this.#isWord(word, end)) return word;
      slot = (slot + 1) & mask;
    }
    return -1;
  }

  #newWord(slot: number, end: number): number {
    const word = this.#kept;
    if (word >= MAX_WORDS) return -1;
    if (word === this.#broughtBy.length) this.#broughtBy = grown(this.#broughtBy, word + 1);
    this.#broughtBy[word] = this.count;
    this.#keep(end);
    this.#table[slot] = word + 1;
    this.size.bytes += 12;
    if (2 * this.#kept > this.#table.length) this.#rehash(2 * this.#table.length);
    return word;
  }

  #isWord(word: number, end: number): boolean {
    const start = this.#starts[word] as number;
    const stop = this.#endOf(word);
    if (stop - start !== end - this.#at) return false;
    const length = stop - start;
    if (length > LONG) return this.#buffer.compare(this.#buffer, start, stop, this.#at, end) === 0;
    const [view, from] = [this.#view, this.#at];
    // The first bytes are the length.
    let index = PREFIX;
    for (; index + 4 <= length; index += 4) {
      if (view.getInt32(start + index, true) !== view.getInt32(from + index, true)) return false;
    }
    for (; index < length; index += 1) {
      if (view.getUint8(start + index) !== view.getUint8(from + index)) return false;
    }
    return true;
  }

  #endOf(kept: number): number {
    return kept + 1 < this.#kept ? (this.#starts[kept + 1] as number) : this.#at;
  }

  #rehash(slots: number): void {
    this.#table = new Uint32Array(slots);
    for (let word = 0; word < this.#kept; word += 1) {
      let slot = hashOf(this.#view, this.#starts[word] as number, this.#endOf(word)) & (slots - 1);
      while (this.#table[slot] !== 0) slot = (slot + 1) & (slots - 1);
      this.#table[slot] = word + 1;
    }
  }

  #isWorthIt(): boolean {
    this.#checkAt *= 2;
    return 2 * this.#kept <= this.count;
  }

  /**
   * Gives the dictionary up: writes each value out, and behind them the one that was written up to `end`, of which it returns
   * the new end.
   */
  #spellOut(end: number): number {
    const indexes = this.#indexes as Uint32Array;
    let length = end - this.#at;
    for (let at = 0; at < this.count; at += 1) {
      const word = indexes[at] as number;
      length += this.#endOf(word) - (this.#starts[word] as number);
    }
    const spelled = Buffer.allocUnsafeSlow(length + (length >> 1));
    const starts = new Uint32Array(this.count + (this.count >> 1) + 1);
    let to = 0;
    for (let at = 0; at < this.count; at += 1) {
      const word = indexes[at] as number;
      starts[at] = to;
      to += this.#buffer.copy(spelled, to, this.#starts[word], this.#endOf(word));
    }
    const newEnd = to + this.#buffer.copy(spelled, to, this.#at, end);
    this.size.bytes += to - this.#at;
    this.#hold(spelled);
    this.#starts = starts;
    this.#kept = this.count;
    this.#at = to;
    this.#indexes = undefined;
    this.#table = new Uint32Array(0);
    this.#broughtBy = new Uint32Array(0);
    return newEnd;
  }

  /** By the bytes, as Parquet orders them. None where they are long, as parquet-java has it: the footer holds them. */
  #bounds(): Pick<LeafPages, 'bounds'> {
    if (this.#kept === 0) return {};
    let [min, max] = [0, 0];
    for (let at = 1; at < this.#kept; at += 1) {
      if (this.#order(at, min) < 0) min = at;
      else if (this.#order(at, max) > 0) max = at;
    }
    const [least, greatest] = [this.#valueAt(min), this.#valueAt(max)];
    if (least.length + greatest.length > MAX_BOUNDS_BYTES) return {};
    return { bounds: { min: least, max: greatest } };
  }

  #order(one: number, other: number): number {
    const [start, end] = [(this.#starts[one] as number) + PREFIX, this.#endOf(one)];
    const [otherStart, otherEnd] = [(this.#starts[other] as number) + PREFIX, this.#endOf(other)];
    if (end > start && otherEnd > otherStart) {
      const first = (this.#buffer[start] as number) - (this.#buffer[otherStart] as number);
      if (first !== 0) return first;
    }
    return this.#buffer.compare(this.#buffer, otherStart, otherEnd, start, end);
  }

  #valueAt(kept: number): Uint8Array {
    const { buffer } = this.#buffer;
    return new Uint8Array(buffer).subarray((this.#starts[kept] as number) + PREFIX, this.#endOf(kept));
  }
}

/** Node's own method, which `write` calls once it has looked at its arguments. */
type Utf8Buffer = Buffer & { utf8Write(text: string, at: number): number };

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** Of a long value its ends and its middle are looked at: those that differ elsewhere only are distinguished by comparing them. */
function hashOf(view: DataView, start: number, end: number): number {
  if (end - start <= 3 * SAMPLE) return hashed(view, start, end, FNV_OFFSET);
  const middle = (start + end - SAMPLE) >> 1;
  // The first bytes are the length.
  const head = hashed(view, start, start + SAMPLE, FNV_OFFSET);
  return hashed(view, end - SAMPLE, end, hashed(view, middle, middle + SAMPLE, head));
}

/** Source: FNV-1a, four bytes at a time. */
function hashed(view: DataView, start: number, end: number, from: number): number {
  let hash = from;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(hash ^ view.getInt32(at, true), FNV_PRIME);
    hash ^= hash >>> 15;
  }
  for (; at < end; at += 1) hash = Math.imul(hash ^ view.getUint8(at), FNV_PRIME);
  return hash ^ (hash >>> 13);
}
