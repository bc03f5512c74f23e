import { ContiguousPrefix } from './contiguous-prefix.js';

/**
 * Which offset may be committed: the end of the unbroken run of acked records, in order of arrival. Sequence numbers are given
 * densely from 0 in order of arrival; offsets only have to rise, since Kafka's have gaps (compaction, transactions), so
 * nothing here adds one to an offset to find the next record.
 *
 * Pure. Bounds: a bit for each record from the watermark on, and four numbers for each gap in their offsets.
 */
export class Watermark {
  readonly #acks = new ContiguousPrefix();
  #count = 0;
  #acked = 0;
  /** Runs of offsets without a gap: sequence number and offset of the first of each, oldest first. */
  #runSeqs: number[] = [];
  #runOffsets: number[] = [];
  /** The first run that is still of use; those before it are dropped together, so that an ack does not move all behind it. */
  #oldRuns = 0;
  #lastOffset = -1;
  readonly #start: number;
  #end: number;

  /** `start`: the offset at which reading begins, committed as it is while nothing was acked. */
  constructor(start: number) {
    this.#start = start;
    this.#end = start;
  }

  /** How many records have arrived. */
  get count(): number {
    return this.#count;
  }

  /** The first sequence number that is not acked. */
  get ackedEnd(): number {
    return this.#acks.end;
  }

  /** The offset that was read up to; −1 where nothing was and it is not known where reading begins. */
  get readEnd(): number {
    return this.#end;
  }

  /** How many records have arrived and are not acked. */
  get unacked(): number {
    return this.#count - this.#acked;
  }

  /** How many sequence numbers the watermark is behind the newest: the most that would be redelivered after a crash. */
  get span(): number {
    return this.#count - this.#acks.end;
  }

  /** Takes the next record's offset and gives it its sequence number. Offsets must rise. */
  add(offset: number): number {
    const seq = this.#count;
    if (seq === 0 || offset !== this.#lastOffset + 1) {
      this.#runSeqs.push(seq);
      this.#runOffsets.push(offset);
    }
    this.#lastOffset = offset;
    this.#count = seq + 1;
    if (offset >= this.#end) this.#end = offset + 1;
    return seq;
  }

  /** The log was read up to here: what lies between the last record and this offset holds no records. */
  readUpTo(nextOffset: number): void {
    if (nextOffset > this.#end) this.#end = nextOffset;
  }

  /** Acks the run of sequence numbers; tells how many of them were not acked before. */
  ack(first: number, next: number): number {
    const fresh = this.#acks.mark(first, Math.min(next, this.#count));
    this.#acked += fresh;
    this.#dropOldRuns();
    return fresh;
  }

  /** True where the sequence number is acked. */
  isAcked(seq: number): boolean {
    return this.#acks.has(seq);
  }

  /** How many records behind this one are acked, and wait for it. */
  ackedBehind(seq: number): number {
    if (seq === this.#acks.end) return this.#acked - this.#acks.end;
    let acked = 0;
    for (let behind = seq + 1; behind < this.#count; behind += 1) if (this.#acks.has(behind)) acked += 1;
    return acked;
  }

  /** The offset of the first record that is not acked, or the end of what was read: what may be committed. */
  get offset(): number {
    return this.offsetFrom(this.#acks.end);
  }

  /** Where the stretch without records begins that ends at `offset`; `offset` itself where there is none, or none is known. */
  get emptyFrom(): number {
    if (this.unacked > 0) return this.offset;
    if (this.#count > 0) return this.#lastOffset + 1;
    return this.#start < 0 ? this.offset : this.#start;
  }

  /** The offset of a sequence number at or above the watermark; of the sequence number behind the last, the end of what was read. */
  offsetFrom(seq: number): number {
    return seq >= this.#count ? this.#end : this.offsetOf(seq);
  }

  /** The offset of a sequence number at or above the watermark. */
  offsetOf(seq: number): number {
    let low = this.#oldRuns;
    let high = this.#runSeqs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#runSeqs[middle] as number) <= seq) low = middle;
      else high = middle - 1;
    }
    return (this.#runOffsets[low] as number) + seq - (this.#runSeqs[low] as number);
  }

  /** The sequence number of an offset at or above the watermark; undefined where no record was there. */
  seqOf(offset: number): number | undefined {
    for (let run = this.#runSeqs.length - 1; run >= this.#oldRuns; run -= 1) {
      const first = this.#runOffsets[run] as number;
      if (offset < first) continue;
      const seq = (this.#runSeqs[run] as number) + offset - first;
      return seq < (this.#runSeqs[run + 1] ?? this.#count) ? seq : undefined;
    }
    return undefined;
  }

  #dropOldRuns(): void {
    const { end } = this.#acks;
    while (this.#oldRuns + 1 < this.#runSeqs.length && (this.#runSeqs[this.#oldRuns + 1] as number) <= end)
      this.#oldRuns += 1;
    if (this.#oldRuns * 2 <= this.#runSeqs.length) return;
    this.#runSeqs = this.#runSeqs.slice(this.#oldRuns);
    this.#runOffsets = this.#runOffsets.slice(this.#oldRuns);
    this.#oldRuns = 0;
  }
}
