/**
 * Marks on sequence numbers (dense from 0), and the end of the unbroken run of them from the start.
 *
 * Pure. Bounds: a bit for each sequence number from the end of the run to the highest mark.
 */
export class ContiguousPrefix {
  /** Sequence number of the first bit; a multiple of 32. */
  #base = 0;
  #bits = new Uint32Array(64);
  #end = 0;

  /** The first sequence number without a mark. */
  get end(): number {
    return this.#end;
  }

  has(seq: number): boolean {
    if (seq < this.#end) return true;
    const at = seq - this.#base;
    return at >>> 5 < this.#bits.length && ((this.#bits[at >>> 5] as number) & (1 << (at & 31))) !== 0;
  }

  /** Marks the run of sequence numbers; tells how many of them had no mark before. */
  mark(first: number, next: number): number {
    const start = Math.max(first, this.#end);
    if (next <= start) return 0;
    const fresh = this.#setBits(start, next);
    if (start === this.#end) this.#advance(next);
    return fresh;
  }

  #setBits(start: number, end: number): number {
    const lastWord = (end - 1 - this.#base) >>> 5;
    if (lastWord >= this.#bits.length) this.#makeRoom(lastWord);
    let fresh = 0;
    let at = start - this.#base;
    const stop = end - this.#base;
    while (at < stop) {
      const word = at >>> 5;
      const upTo = Math.min(stop, (word + 1) << 5);
      const width = upTo - at;
      const mask = width === 32 ? 0xffffffff : ((1 << width) - 1) << (at & 31);
      const before = this.#bits[word] as number;
      fresh += width === 32 && before === 0 ? 32 : countBits(mask & ~before);
      this.#bits[word] = before | mask;
      at = upTo;
    }
    return fresh;
  }

  /** Everything below `known` is marked, where the run reached it. */
  #advance(known: number): void {
    let at = known - this.#base;
    const stop = this.#bits.length * 32;
    while (at < stop) {
      const bits = this.#bits[at >>> 5] as number;
      if ((at & 31) === 0 && bits === 0xffffffff) at += 32;
      else if ((bits & (1 << (at & 31))) !== 0) at += 1;
      else break;
    }
    this.#end = this.#base + at;
  }

  #makeRoom(lastWord: number): void {
    // What was left behind by the run is of no use; it may have gone to the very end of the bits.
    const done = Math.min((this.#end - this.#base) >>> 5, this.#bits.length);
    const needed = lastWord - done + 1;
    const bits = needed * 2 <= this.#bits.length ? this.#bits : new Uint32Array(Math.max(64, needed * 2));
    const kept = this.#bits.subarray(done);
    if (bits === this.#bits) bits.copyWithin(0, done).fill(0, bits.length - done);
    else bits.set(kept);
    this.#bits = bits;
    this.#base += done * 32;
  }
}

function countBits(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
