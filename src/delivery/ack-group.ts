import type { Observable } from 'rxjs';
import { SeqSet } from '../offsets/seq-set.js';
import type { Acker, FlushSignal, ResumeTracker } from './acker.js';
import type { Delivery } from './delivery.js';
import { mergedFlush$ } from './flush-listeners.js';

/**
 * Deliveries that are settled together, kept as sequence numbers per acker and not as objects: a file of a million values holds a
 * million bits.
 *
 * Settles: whatever was added, once, on `ack` or `nack`; adding to a settled group is a bug of the caller and throws.
 */
export class AckGroup {
  readonly #seqs = new Map<Acker, SeqSet>();
  #lastAcker: Acker | undefined;
  #lastSeqs: SeqSet | undefined;
  #size = 0;
  #isSettled = false;

  static of(deliveries: readonly Delivery<unknown>[]): AckGroup {
    const ackGroup = new AckGroup();
    for (const delivery of deliveries) ackGroup.add(delivery);
    return ackGroup;
  }

  get size(): number {
    return this.#size;
  }

  add(delivery: Delivery<unknown>): void {
    if (this.#isSettled) throw new Error('AckGroup: add after settling');
    if (delivery.acker !== this.#lastAcker) this.#open(delivery.acker);
    if ((this.#lastSeqs as SeqSet).add(delivery.seq)) this.#size += 1;
  }

  ack(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    for (const [acker, seqs] of this.#seqs) seqs.forEachRun((first, next) => acker.ack(first, next));
  }

  nack(cause: unknown): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    for (const [acker, seqs] of this.#seqs) seqs.forEachRun((first, next) => acker.nack(first, next, cause));
  }

  release(): void {
    for (const [acker, seqs] of this.#seqs) seqs.forEachRun((first, next) => acker.release(first, next));
  }

  /** Whether it is of several streams or epochs. */
  get isMixed(): boolean {
    const all = [...this.#seqs.keys()];
    return new Set(all.map((acker) => acker.flush$)).size > 1 || all.some((acker) => acker.isMixed === true);
  }

  hold(): void {
    for (const [acker, seqs] of this.#seqs) seqs.forEachRun((first, next) => acker.hold(first, next));
  }

  /** The resume tracker that everything held so far shares, if it does. */
  get resumeTracker(): ResumeTracker | undefined {
    const all = new Set([...this.#seqs.keys()].map((acker) => acker.resumeTracker));
    const [only] = all;
    return all.size === 1 ? only : undefined;
  }

  /** What the sources of everything held so far ask for. */
  get flush$(): Observable<FlushSignal> {
    return mergedFlush$([...this.#seqs.keys()].map((acker) => acker.flush$));
  }

  #open(acker: Acker): void {
    let seqs = this.#seqs.get(acker);
    if (seqs === undefined) {
      seqs = new SeqSet();
      this.#seqs.set(acker, seqs);
    }
    this.#lastAcker = acker;
    this.#lastSeqs = seqs;
  }
}
