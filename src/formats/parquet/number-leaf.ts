import { type Bound, grown, Leaf, type LeafPages, type LeafPlace, Misfit, type Size } from './leaf.js';

/** What a value is as a number; throws `Misfit`. */
export type ToNumber = (value: unknown) => number;

/** Whole numbers of 32 bits. */
export class Int32Leaf extends Leaf {
  readonly #numberOf: ToNumber;
  #values: Int32Array;

  constructor(place: LeafPlace, size: Size, numberOf: ToNumber) {
    super(place, size);
    this.#numberOf = numberOf;
    this.#values = new Int32Array(size.room);
  }

  protected append(value: unknown): void {
    const number = this.#numberOf(value);
    if (this.count === this.#values.length) this.#values = grown(this.#values, this.count + 1);
    this.#values[this.count] = number;
    this.size.bytes += 4;
  }

  pages(): LeafPages {
    const values = this.#values.subarray(0, this.count);
    return { bytes: bytesOf(values), ...numberBounds(values) };
  }
}

/** Numbers of 64 bits, or of 32 where `bits` says so. */
export class FloatLeaf extends Leaf {
  #values: Float32Array | Float64Array;

  constructor(place: LeafPlace, size: Size, bits: 32 | 64) {
    super(place, size);
    this.#values = bits === 32 ? new Float32Array(size.room) : new Float64Array(size.room);
  }

  protected append(value: unknown): void {
    if (typeof value !== 'number') throw new Misfit(value, 'a number');
    if (this.#values instanceof Float32Array && Number.isFinite(value) && !Number.isFinite(Math.fround(value)))
      throw new Misfit(value, 'a number that 32 bits hold');
    if (this.count === this.#values.length)
      this.#values = grown<Float32Array | Float64Array>(this.#values, this.count + 1);
    this.#values[this.count] = value;
    this.size.bytes += this.#values.BYTES_PER_ELEMENT;
  }

  pages(): LeafPages {
    const values = this.#values.subarray(0, this.count);
    return { bytes: bytesOf(values), ...numberBounds(values) };
  }
}

/** Values of one byte each, as bits. */
export class BooleanLeaf extends Leaf {
  #values: Uint8Array;

  constructor(place: LeafPlace, size: Size) {
    super(place, size);
    this.#values = new Uint8Array(size.room);
  }

  protected append(value: unknown): void {
    if (typeof value !== 'boolean') throw new Misfit(value, 'true or false');
    if (this.count === this.#values.length) this.#values = grown(this.#values, this.count + 1);
    this.#values[this.count] = value ? 1 : 0;
    this.size.bytes += 1;
  }

  pages(): LeafPages {
    const packed = new Uint8Array(Math.ceil(this.count / 8));
    let trues = 0;
    for (let at = 0; at < this.count; at += 1) {
      if (this.#values[at] === 0) continue;
      trues += 1;
      packed[at >> 3] = (packed[at >> 3] as number) | (1 << (at & 7));
    }
    if (this.count === 0) return { bytes: packed };
    return { bytes: packed, bounds: { min: trues === this.count, max: trues > 0 } };
  }
}

/** What a value is as a whole number; throws `Misfit`. */
export type ToWhole = (value: unknown) => number | bigint;

const LEAST = -(2n ** 63n);
const MOST = 2n ** 63n - 1n;
const TWO_32 = 2 ** 32;

/** Whole numbers of 64 bits, as two halves each: of a safe integer no BigInt is made. */
export class Int64Leaf extends Leaf {
  readonly #wholeOf: ToWhole;
  #halves: Int32Array;

  constructor(place: LeafPlace, size: Size, wholeOf: ToWhole) {
    super(place, size);
    this.#wholeOf = wholeOf;
    this.#halves = new Int32Array(2 * size.room);
  }

  protected append(value: unknown): void {
    const whole = this.#wholeOf(value);
    const at = 2 * this.count;
    if (at + 2 > this.#halves.length) this.#halves = grown(this.#halves, at + 2);
    if (typeof whole === 'number') {
      const high = Math.floor(whole / TWO_32);
      this.#halves[at] = whole - high * TWO_32;
      this.#halves[at + 1] = high;
    } else {
      if (whole < LEAST || whole > MOST) throw new Misfit(value, 'a whole number of 64 bits');
      this.#halves[at] = Number(whole & 0xffff_ffffn);
      this.#halves[at + 1] = Number(whole >> 32n);
    }
    this.size.bytes += 8;
  }

  pages(): LeafPages {
    const halves = this.#halves.subarray(0, 2 * this.count);
    if (this.count === 0) return { bytes: bytesOf(halves) };
    let [min, max] = [0, 0];
    for (let at = 2; at < halves.length; at += 2) {
      if (isLess(halves, at, min)) min = at;
      else if (isLess(halves, max, at)) max = at;
    }
    return { bytes: bytesOf(halves), bounds: { min: wholeAt(halves, min), max: wholeAt(halves, max) } };
  }
}

function isLess(halves: Int32Array, one: number, other: number): boolean {
  const [high, otherHigh] = [halves[one + 1] as number, halves[other + 1] as number];
  if (high !== otherHigh) return high < otherHigh;
  return (halves[one] as number) >>> 0 < (halves[other] as number) >>> 0;
}

function wholeAt(halves: Int32Array, at: number): bigint {
  return (BigInt(halves[at + 1] as number) << 32n) | BigInt((halves[at] as number) >>> 0);
}

/**
 * The least and the greatest. None where there is a NaN: readers disagree on whether it is greater than all, and a bound without it
 * would have those that think so pass over its rows.
 */
function numberBounds(values: Int32Array | Float32Array | Float64Array): { bounds?: { min: Bound; max: Bound } } {
  if (values.length === 0) return {};
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (Number.isNaN(value)) return {};
    if (value < min) min = value;
    if (value > max) max = value;
  }
  // Of two zeros neither is less; a reader may compare them by their bits.
  if (!(values instanceof Int32Array)) {
    if (min === 0) min = -0;
    if (max === 0) max = 0;
  }
  return { bounds: { min, max } };
}

function bytesOf(values: Int32Array | Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
