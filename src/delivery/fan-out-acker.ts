import type { Acker } from './acker.js';
import type { Delivery } from './delivery.js';
import { FanOutState } from './fan-out-state.js';
import { ForwardingAcker, oncePerAcker } from './forwarding-acker.js';

/**
 * Gives the same deliveries to several parties: one is acked, released or held when all parties have done so, and nacked
 * when the first nacks it. An acked part counts as released and held: of it nothing is to be stored any more.
 *
 * Bounds: as `FanOutState`: bits for each delivery, no objects, until all have settled it.
 */
export class FanOutAckers {
  readonly #partiesOf;

  constructor(parties: number) {
    this.#partiesOf = oncePerAcker(({ acker }) => {
      const state = new FanOutState(parties);
      return { state, ackers: Array.from({ length: parties }, (_, party) => new PartyAcker(acker, state, party)) };
    });
  }

  /** The delivery for each of the parties. */
  share<T>(delivery: Delivery<T>): Delivery<T>[] {
    const { state, ackers } = this.#partiesOf(delivery);
    state.take(delivery.seq);
    return ackers.map((acker) => acker.adopt(delivery));
  }
}

/** The acker of one party. */
class PartyAcker extends ForwardingAcker {
  readonly #state: FanOutState;
  readonly #party: number;

  constructor(inner: Acker, state: FanOutState, party: number) {
    super(inner);
    this.#state = state;
    this.#party = party;
  }

  override ack(first: number, next: number): void {
    this.#state.mark('ack', this.#party, first, next, (from, to) => {
      this.#state.close(from, to);
      super.ack(from, to);
    });
    this.release(first, next);
    this.hold(first, next);
  }

  override nack(first: number, next: number, cause: unknown): void {
    this.#state.nack(this.#party, first, next, (from, to) => {
      this.#state.close(from, to);
      super.nack(from, to, cause);
    });
  }

  override release(first: number, next: number): void {
    this.#state.mark('release', this.#party, first, next, (from, to) => super.release(from, to));
  }

  override hold(first: number, next: number): void {
    if (this.resumeTracker === undefined) return;
    this.#state.mark('hold', this.#party, first, next, (from, to) => super.hold(from, to));
  }
}
