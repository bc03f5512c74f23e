/**
 * The sizes of unreleased deliveries, by sequence number. Releasing a sequence number twice frees it once.
 *
 * Bounds: four bytes for each sequence number, from the lowest unreleased to the highest.
 */
export class InFlightSizes {
  #base = 0;
  #next = 0;
  /** Size + 1 by seq − base; 0 if released. */
  #sizes = new Uint32Array(64);

  /** Adds the next sequence number, of that many bytes (at most 2^32 − 2). */
  add(bytes: number): void {
    const at = this.#next - this.#base;
    if (at === this.#sizes.length) this.#makeRoom();
    this.#sizes[this.#next - this.#base] = bytes + 1;
    this.#next += 1;
  }

  /** Releases the run of sequence numbers; returns how many of them were not released before, and their bytes. */
  release(first: number, next: number): { count: number; bytes: number } {
    let count = 0;
    let bytes = 0;
    const end = Math.min(next, this.#next) - this.#base;
    for (let at = Math.max(0, first - this.#base); at < end; at += 1) {
      const size = this.#sizes[at] as number;
      if (size === 0) continue;
      this.#sizes[at] = 0;
      count += 1;
      bytes += size - 1;
    }
    return { count, bytes };
  }

  /** The lowest sequence number that is not released, or the next one. Looked for at each call. */
  get lowest(): number {
    return this.#base + this.#freedBefore;
  }

  /** Whether it was added and is not released. */
  has(seq: number): boolean {
    const at = seq - this.#base;
    return at >= 0 && seq < this.#next && this.#sizes[at] !== 0;
  }

  get #freedBefore(): number {
    const out = this.#next - this.#base;
    let freed = 0;
    while (freed < out && this.#sizes[freed] === 0) freed += 1;
    return freed;
  }

  #makeRoom(): void {
    const out = this.#next - this.#base;
    const freed = this.#freedBefore;
    const sizes = freed >= out / 2 ? this.#sizes : new Uint32Array(this.#sizes.length * 2);
    if (sizes === this.#sizes) sizes.copyWithin(0, freed, out).fill(0, out - freed);
    else sizes.set(this.#sizes.subarray(freed, out));
    this.#sizes = sizes;
    this.#base += freed;
  }
}
