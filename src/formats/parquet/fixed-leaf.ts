import { Leaf, type LeafPages, type LeafPlace, type Size } from './leaf.js';

/** Writes a value at that byte; throws `Misfit`, and then what it wrote does not count. */
export type WriteFixed = (value: unknown, into: Buffer, at: number) => void;

const WIDTH = 16;

/** Values of 16 bytes each: UUIDs, and decimals of many digits, which are signed and big-endian. */
export class FixedLeaf extends Leaf {
  readonly #write: WriteFixed;
  readonly #isSigned: boolean;
  #values = Buffer.allocUnsafeSlow(16 * WIDTH);

  constructor(place: LeafPlace, size: Size, write: WriteFixed, isSigned: boolean) {
    super(place, size);
    this.#write = write;
    this.#isSigned = isSigned;
  }

  protected append(value: unknown): void {
    const at = this.count * WIDTH;
    if (at === this.#values.length) {
      const larger = Buffer.allocUnsafeSlow(2 * at);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#write(value, this.#values, at);
    this.size.bytes += WIDTH;
  }

  pages(): LeafPages {
    const values = this.#values.subarray(0, this.count * WIDTH);
    if (this.count === 0) return { bytes: values };
    let [min, max] = [0, 0];
    for (let at = WIDTH; at < values.length; at += WIDTH) {
      if (this.#order(at, min) < 0) min = at;
      else if (this.#order(at, max) > 0) max = at;
    }
    return { bytes: values, bounds: { min: this.#bound(min), max: this.#bound(max) } };
  }

  #order(one: number, other: number): number {
    const values = this.#values;
    if (this.#isSigned) {
      const signs = values.readInt8(one) - values.readInt8(other);
      if (signs !== 0) return signs;
    }
    return values.compare(values, other, other + WIDTH, one, one + WIDTH);
  }

  #bound(at: number): bigint | Uint8Array {
    const values = this.#values;
    if (!this.#isSigned) return values.subarray(at, at + WIDTH);
    return (values.readBigInt64BE(at) << 64n) | values.readBigUInt64BE(at + 8);
  }
}
