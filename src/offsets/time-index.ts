import type { Histogram } from '../core/histogram.js';

/** The most records that share an entry while the stream is not far behind. */
const RECORDS_A_ENTRY = 64;
/** Beyond so many entries each two become one. */
const MAX_ENTRIES = 2_048;

/** Where the ages of acked records are counted, in seconds. */
export interface AgeHistograms {
  /** From the time of the record. */
  readonly age: Histogram;
  /** From when it went out. */
  readonly settle: Histogram;
}

/**
 * When the unsettled records of a stream were made, and when they went out, without keeping it of each: the first of each 64
 * records, and of each fetch, stands for those that follow. So an age is at most too high by what lies between two entries.
 *
 * Pure. Bounds: 2,048 entries of three numbers. Where more would be needed each two become one, and from then on an entry stands for
 * as many records as those do: about a thousandth of what is unsettled.
 */
export class TimeIndex {
  #seqs: number[] = [];
  #times: number[] = [];
  #sentAt: number[] = [];
  /** Entries below it are of no use; they are dropped together. */
  #first = 0;
  #step = RECORDS_A_ENTRY;
  #isThinned = false;
  /** From this sequence number on a record is wanted, wherever it is in its fetch: one comparison a record. */
  #due = 0;

  /** Whether the record of this sequence number is to be added. `isFirst`: it is the first of a fetch. */
  wants(seq: number, isFirst: boolean): boolean {
    return seq >= this.#due || (isFirst && !this.#isThinned);
  }

  /** `time`: of the record, in milliseconds since 1970, negative where it has none; `now`: when it goes out, by a monotonic clock. */
  add(seq: number, time: number, now: number): void {
    if (this.#seqs.length - this.#first >= MAX_ENTRIES) this.#thinOut();
    this.#seqs.push(seq);
    this.#times.push(time);
    this.#sentAt.push(now);
    this.#due = seq + this.#step;
  }

  /** True where `ackedUpTo` is to be called: an entry's records are all acked. */
  isPassedBy(end: number, count: number): boolean {
    const next = this.#first + 1;
    if (next < this.#seqs.length) return (this.#seqs[next] as number) <= end;
    return next === this.#seqs.length && end >= count;
  }

  /**
   * All below `end` are acked, of `count` that went out. Counts the ages of those entries that are passed as a whole, and
   * drops them.
   */
  ackedUpTo(end: number, count: number, now: { readonly ms: number; readonly date: number }, to: AgeHistograms): void {
    while (this.isPassedBy(end, count)) {
      const at = this.#first;
      const seq = this.#seqs[at] as number;
      const records = (at + 1 < this.#seqs.length ? (this.#seqs[at + 1] as number) : count) - seq;
      const time = this.#times[at] as number;
      if (time > 0) to.age.observe((now.date - time) / 1_000, records);
      to.settle.observe((now.ms - (this.#sentAt[at] as number)) / 1_000, records);
      this.#first += 1;
    }
    if (this.#first === this.#seqs.length) {
      this.#step = RECORDS_A_ENTRY;
      this.#isThinned = false;
      this.#due = 0;
    }
    if (this.#first * 2 > this.#seqs.length) this.#dropPassed();
  }

  /** When the oldest unsettled record was made, in milliseconds since 1970; undefined where none is, or it has no time. */
  get oldestTime(): number | undefined {
    const time = this.#times[this.#first];
    return time === undefined || time <= 0 ? undefined : time;
  }

  /** When the oldest unsettled record went out. */
  get oldestSentAt(): number | undefined {
    return this.#sentAt[this.#first];
  }

  /** When an unsettled record went out, or one of those before it that its entry stands for. */
  sentAtOf(seq: number): number | undefined {
    for (let at = this.#seqs.length - 1; at >= this.#first; at -= 1) {
      if ((this.#seqs[at] as number) <= seq) return this.#sentAt[at];
    }
    return undefined;
  }

  #dropPassed(): void {
    this.#seqs = this.#seqs.slice(this.#first);
    this.#times = this.#times.slice(this.#first);
    this.#sentAt = this.#sentAt.slice(this.#first);
    this.#first = 0;
  }

  #thinOut(): void {
    this.#dropPassed();
    const isKept = (_: number, at: number) => at % 2 === 0;
    this.#seqs = this.#seqs.filter(isKept);
    this.#times = this.#times.filter(isKept);
    this.#sentAt = this.#sentAt.filter(isKept);
    this.#isThinned = true;
    const span = (this.#seqs.at(-1) as number) - (this.#seqs[0] as number);
    this.#step = Math.max(1, Math.ceil(span / this.#seqs.length));
  }
}
