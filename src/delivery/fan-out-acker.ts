import type { Acker } from './acker.js';
import { Delivery } from './delivery.js';
import { FanOutState } from './fan-out-state.js';

/**
 * Gives the same deliveries to several parties: one is acked, released or held when all parties have done so, and nacked
 * when the first refuses it. An acked part counts as released and held: of it nothing is to be stored any more.
 *
 * Bounds: as `FanOutState`: bits for each delivery, no objects, until all have settled it.
 */
export class FanOutAckers {
  readonly #parties: number;
  readonly #fanOutAckers = new WeakMap<Acker, FanOutAcker>();

  constructor(parties: number) {
    this.#parties = parties;
  }

  /** The delivery for each of the parties. */
  share<T>({ value, origin, acker, seq }: Delivery<T>): Delivery<T>[] {
    let fanOutAcker = this.#fanOutAckers.get(acker);
    if (fanOutAcker === undefined) {
      fanOutAcker = new FanOutAcker(acker, this.#parties);
      this.#fanOutAckers.set(acker, fanOutAcker);
    }
    fanOutAcker.fanOutState.take(seq);
    return fanOutAcker.ackers.map((own) => new Delivery(value, origin, own, seq));
  }
}

class FanOutAcker {
  readonly fanOutState: FanOutState;
  readonly ackers: readonly Acker[];
  readonly #inner: Acker;

  constructor(inner: Acker, parties: number) {
    this.#inner = inner;
    this.fanOutState = new FanOutState(parties);
    this.ackers = Array.from({ length: parties }, (_, party) => this.#ackerOf(party));
  }

  #ackerOf(party: number): Acker {
    const { flush$, resumeTracker, isMixed = false } = this.#inner;
    return {
      flush$,
      resumeTracker,
      isMixed,
      ack: (first, next) => this.#ack(party, first, next),
      nack: (first, next, cause) => this.#nack(party, first, next, cause),
      release: (first, next) => this.#release(party, first, next),
      hold: (first, next) => this.#hold(party, first, next),
    };
  }

  #ack(party: number, first: number, next: number): void {
    this.fanOutState.mark('ack', party, first, next, (from, to) => {
      this.fanOutState.close(from, to);
      this.#inner.ack(from, to);
    });
    this.#release(party, first, next);
    this.#hold(party, first, next);
  }

  #nack(party: number, first: number, next: number, cause: unknown): void {
    this.fanOutState.refuse(party, first, next, (from, to) => {
      this.fanOutState.close(from, to);
      this.#inner.nack(from, to, cause);
    });
  }

  #release(party: number, first: number, next: number): void {
    this.fanOutState.mark('release', party, first, next, (from, to) => this.#inner.release(from, to));
  }

  #hold(party: number, first: number, next: number): void {
    if (this.#inner.resumeTracker === undefined) return;
    this.fanOutState.mark('hold', party, first, next, (from, to) => this.#inner.hold(from, to));
  }
}
