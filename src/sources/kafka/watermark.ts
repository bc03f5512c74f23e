/**
 * Which offset may be committed: the end of the unbroken run of acked records, in order of arrival. Places are given
 * densely from 0 in order of arrival; offsets only have to rise, since Kafka's have gaps (compaction, transactions), so
 * nothing here adds one to an offset to find the next record.
 *
 * Pure. Bounds: a bit for each record from the watermark on, and two numbers for each gap in their offsets.
 */
export class Watermark {
  /** Place of the first bit; a multiple of 32. */
  #base = 0;
  #bits = new Uint32Array(64);
  #place = 0;
  #count = 0;
  #acked = 0;
  /** Runs of offsets without a gap: place and offset of the first of each, oldest first. */
  #runPlaces: number[] = [];
  #runOffsets: number[] = [];
  #lastOffset = -1;
  #end: number;

  /** `start`: the offset at which reading begins, committed as it is while nothing was acked. */
  constructor(start: number) {
    this.#end = start;
  }

  /** How many records have arrived and are not acked. */
  get unacked(): number {
    return this.#count - this.#acked;
  }

  /** How many places the watermark is behind the newest: the most that would come again after a crash. */
  get span(): number {
    return this.#count - this.#place;
  }

  /** Takes the next record's offset and gives it its place. Offsets must rise. */
  add(offset: number): number {
    const place = this.#count;
    if (place === 0 || offset !== this.#lastOffset + 1) {
      this.#runPlaces.push(place);
      this.#runOffsets.push(offset);
    }
    this.#lastOffset = offset;
    this.#count = place + 1;
    if (offset >= this.#end) this.#end = offset + 1;
    return place;
  }

  /** The log was read up to here: what lies between the last record and this offset holds no records. */
  readUpTo(nextOffset: number): void {
    if (nextOffset > this.#end) this.#end = nextOffset;
  }

  /** Acks the run of places; tells how many of them were not acked before. */
  ack(first: number, next: number): number {
    const start = Math.max(first, this.#place);
    const end = Math.min(next, this.#count);
    if (end <= start) return 0;
    const fresh = this.#setBits(start, end);
    this.#acked += fresh;
    if (start === this.#place) this.#advance();
    return fresh;
  }

  /** True where the place is acked. */
  isAcked(place: number): boolean {
    if (place < this.#place) return true;
    const at = place - this.#base;
    return place < this.#count && ((this.#bits[at >>> 5] as number) & (1 << (at & 31))) !== 0;
  }

  /** The offset of the first record that is not acked, or the end of what was read: what may be committed. */
  get offset(): number {
    if (this.#place === this.#count) return this.#end;
    return this.offsetOf(this.#place);
  }

  /** The offset of a place at or above the watermark. */
  offsetOf(place: number): number {
    let low = 0;
    let high = this.#runPlaces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#runPlaces[middle] as number) <= place) low = middle;
      else high = middle - 1;
    }
    return (this.#runOffsets[low] as number) + place - (this.#runPlaces[low] as number);
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

  #advance(): void {
    let at = this.#place - this.#base;
    const stop = this.#count - this.#base;
    while (at < stop) {
      const bits = this.#bits[at >>> 5] as number;
      if ((at & 31) === 0 && bits === 0xffffffff && stop - at >= 32) at += 32;
      else if ((bits & (1 << (at & 31))) !== 0) at += 1;
      else break;
    }
    this.#place = this.#base + at;
    this.#dropOldRuns();
  }

  #dropOldRuns(): void {
    let old = 0;
    while (old + 1 < this.#runPlaces.length && (this.#runPlaces[old + 1] as number) <= this.#place) old += 1;
    if (old === 0) return;
    this.#runPlaces.splice(0, old);
    this.#runOffsets.splice(0, old);
  }

  #makeRoom(lastWord: number): void {
    const done = (this.#place - this.#base) >>> 5;
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
