/**
 * A growing set of places (whole numbers ≥ 0, mostly close together), one bit each.
 *
 * Bounds: (highest − lowest) / 8 bytes. Places are kept relative to a base, so that they may pass 2^32.
 */
export class PlaceSet {
  #base = 0;
  #words = new Uint32Array(2);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a place; false where it was there already. */
  add(place: number): boolean {
    if (this.#size === 0) this.#base = place - (place % 32);
    let at = place - this.#base;
    if (at < 0) {
      this.#extendDown(place);
      at = place - this.#base;
    }
    const word = Math.floor(at / 32);
    if (word >= this.#words.length) this.#extendUp(word);
    const bit = 1 << (at & 31);
    const before = this.#words[word] as number;
    if ((before & bit) !== 0) return false;
    this.#words[word] = before | bit;
    this.#size += 1;
    return true;
  }

  has(place: number): boolean {
    const at = place - this.#base;
    if (at < 0 || at >= this.#words.length * 32) return false;
    return ((this.#words[Math.floor(at / 32)] as number) & (1 << (at & 31))) !== 0;
  }

  /** Visits each unbroken run of places as [first, next), lowest first. */
  forEachRun(visit: (first: number, next: number) => void): void {
    let first = -1;
    for (let word = 0; word < this.#words.length; word += 1) {
      const bits = this.#words[word] as number;
      const start = this.#base + word * 32;
      if (bits === 0xffffffff) {
        if (first < 0) first = start;
        continue;
      }
      if (bits === 0) {
        if (first >= 0) visit(first, start);
        first = -1;
        continue;
      }
      for (let bit = 0; bit < 32; bit += 1) {
        const isSet = (bits & (1 << bit)) !== 0;
        if (isSet && first < 0) first = start + bit;
        if (!isSet && first >= 0) {
          visit(first, start + bit);
          first = -1;
        }
      }
    }
    if (first >= 0) visit(first, this.#base + this.#words.length * 32);
  }

  #extendUp(word: number): void {
    const words = new Uint32Array(Math.max(this.#words.length * 2, word + 1));
    words.set(this.#words);
    this.#words = words;
  }

  #extendDown(place: number): void {
    const base = place - (place % 32);
    const shift = (this.#base - base) / 32;
    const words = new Uint32Array(this.#words.length + shift);
    words.set(this.#words, shift);
    this.#words = words;
    this.#base = base;
  }
}
