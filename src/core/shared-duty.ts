import { Delivery } from './delivery.js';
import type { Duty } from './duty.js';
import { Tally } from './tally.js';

/**
 * Gives the same deliveries to several parties: one is acked, released or held when all parties have done so, and nacked
 * when the first refuses it. An acked part counts as released and held: of it nothing is to be stored any more.
 *
 * Bounds: as `Tally`: bits for each delivery, no objects, until all have settled it.
 */
export class SharedDuties {
  readonly #parties: number;
  readonly #accounts = new WeakMap<Duty, SharedAccount>();

  constructor(parties: number) {
    this.#parties = parties;
  }

  /** The delivery for each of the parties. */
  share<T>({ value, origin, duty, place }: Delivery<T>): Delivery<T>[] {
    let account = this.#accounts.get(duty);
    if (account === undefined) {
      account = new SharedAccount(duty, this.#parties);
      this.#accounts.set(duty, account);
    }
    account.tally.take(place);
    return account.duties.map((own) => new Delivery(value, origin, own, place));
  }
}

class SharedAccount {
  readonly tally: Tally;
  readonly duties: readonly Duty[];
  readonly #inner: Duty;

  constructor(inner: Duty, parties: number) {
    this.#inner = inner;
    this.tally = new Tally(parties);
    this.duties = Array.from({ length: parties }, (_, party) => this.#dutyOf(party));
  }

  #dutyOf(party: number): Duty {
    const { wanted, replay, isMixed = false } = this.#inner;
    return {
      wanted,
      replay,
      isMixed,
      ack: (first, next) => this.#ack(party, first, next),
      nack: (first, next, cause) => this.#nack(party, first, next, cause),
      release: (first, next) => this.#release(party, first, next),
      hold: (first, next) => this.#hold(party, first, next),
    };
  }

  #ack(party: number, first: number, next: number): void {
    this.tally.mark('ack', party, first, next, (from, to) => {
      this.tally.close(from, to);
      this.#inner.ack(from, to);
    });
    this.#release(party, first, next);
    this.#hold(party, first, next);
  }

  #nack(party: number, first: number, next: number, cause: unknown): void {
    this.tally.refuse(party, first, next, (from, to) => {
      this.tally.close(from, to);
      this.#inner.nack(from, to, cause);
    });
  }

  #release(party: number, first: number, next: number): void {
    this.tally.mark('release', party, first, next, (from, to) => this.#inner.release(from, to));
  }

  #hold(party: number, first: number, next: number): void {
    if (this.#inner.replay === undefined) return;
    this.tally.mark('hold', party, first, next, (from, to) => this.#inner.hold(from, to));
  }
}
