const NONE = new Uint32Array(0);

/**
 * A growing set of sequence numbers (whole numbers ≥ 0, mostly one after the other).
 *
 * Bounds: two numbers where they came in order and without a gap, else (highest − lowest) / 8 bytes. Sequence numbers are kept
 * relative to a base, so that they may pass 2^32.
 */
export class SeqSet {
  /** The run that grows: [first, next), above every number in the words. */
  #first = 0;
  #next = 0;
  /** All others, a bit each from the base on; none while all are one run. */
  #base = 0;
  #words = NONE;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a sequence number; false where it was there already. */
  add(seq: number): boolean {
    if (seq === this.#next && this.#first < seq) {
      this.#next = seq + 1;
      this.#size += 1;
      return true;
    }
    return this.#addApart(seq);
  }

  has(seq: number): boolean {
    if (seq >= this.#first) return seq < this.#next;
    const at = seq - this.#base;
    if (at < 0 || at >= this.#words.length * 32) return false;
    return ((this.#words[Math.floor(at / 32)] as number) & (1 << (at & 31))) !== 0;
  }

  /** Visits each unbroken run of sequence numbers as [first, next), lowest first. */
  forEachRun(visit: (first: number, next: number) => void): void {
    let from = -1;
    let to = -1;
    const join = (first: number, next: number): void => {
      if (first !== to) {
        if (from < to) visit(from, to);
        from = first;
      }
      to = next;
    };
    for (const [word, bits] of this.#words.entries()) eachRunOfWord(bits, this.#base + word * 32, join);
    if (this.#first < this.#next) join(this.#first, this.#next);
    if (from < to) visit(from, to);
  }

  #addApart(seq: number): boolean {
    if (this.has(seq)) return false;
    this.#size += 1;
    if (seq < this.#first) {
      this.#set(seq, seq + 1);
    } else {
      if (this.#first < this.#next) this.#set(this.#first, this.#next);
      this.#first = seq;
      this.#next = seq + 1;
    }
    return true;
  }

  /** Sets the bits of the run of sequence numbers. */
  #set(first: number, next: number): void {
    if (this.#words.length === 0) this.#base = first - (first % 32);
    if (first < this.#base) this.#extendDown(first);
    const lastWord = Math.floor((next - 1 - this.#base) / 32);
    if (lastWord >= this.#words.length) this.#extendUp(lastWord);
    for (let seq = first; seq < next; ) {
      const at = seq - this.#base;
      const word = Math.floor(at / 32);
      const width = Math.min(32 - (at & 31), next - seq);
      const mask = width === 32 ? 0xffffffff : ((1 << width) - 1) << (at & 31);
      this.#words[word] = (this.#words[word] as number) | mask;
      seq += width;
    }
  }

  #extendUp(word: number): void {
    const words = new Uint32Array(Math.max(this.#words.length * 2, word + 1));
    words.set(this.#words);
    this.#words = words;
  }

  #extendDown(seq: number): void {
    const base = seq - (seq % 32);
    const shift = (this.#base - base) / 32;
    const words = new Uint32Array(this.#words.length + shift);
    words.set(this.#words, shift);
    this.#words = words;
    this.#base = base;
  }
}

function eachRunOfWord(bits: number, base: number, visit: (first: number, next: number) => void): void {
  if (bits === 0) return;
  if (bits === 0xffffffff) {
    visit(base, base + 32);
    return;
  }
  for (let bit = 0; bit < 32; ) {
    const first = bit;
    while (bit < 32 && (bits & (1 << bit)) !== 0) bit += 1;
    if (first < bit) visit(base + first, base + bit);
    while (bit < 32 && (bits & (1 << bit)) === 0) bit += 1;
  }
}
