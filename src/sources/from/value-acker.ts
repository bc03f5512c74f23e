import { Subject } from 'rxjs';
import { InFlightSizes } from '../../backpressure/in-flight-sizes.js';
import type { InFlightWindow } from '../../backpressure/in-flight-window.js';
import type { Acker, FlushSignal } from '../../delivery/acker.js';
import { ContiguousPrefix } from '../../offsets/contiguous-prefix.js';

/** What an account tells the session it belongs to. */
export interface ValueAckerListener<T> {
  /** So many are newly acked. */
  acked(count: number): void;
  /** Of each newly acked one, where values are kept. */
  ackedValue(value: T): void;
  /** A value was nacked; undefined where values are not kept. */
  nacked(seq: number, value: T | undefined, cause: unknown): void;
  released(): void;
}

/**
 * The acker of all values of one subscription to what cannot be read again: which are settled, each once, and what must be
 * handed back to the application then.
 *
 * Bounds: four bytes and a bit for each value from the first unsettled one on, and the value itself where it is handed back.
 */
export class ValueAcker<T> implements Acker {
  readonly flush$ = new Subject<FlushSignal>();
  readonly #window: InFlightWindow;
  readonly #listener: ValueAckerListener<T>;
  readonly #unreleased = new InFlightSizes();
  readonly #settled = new ContiguousPrefix();
  /** By sequence number; undefined where nothing is handed back. */
  readonly #values: Map<number, T> | undefined;
  #count = 0;
  #unsettled = 0;
  #handedOver = 0;
  #isOver = false;

  /** `keepsValues`: whether what was emitted is to be handed back at its settling. */
  constructor(window: InFlightWindow, keepsValues: boolean, listener: ValueAckerListener<T>) {
    this.#window = window;
    this.#listener = listener;
    this.#values = keepsValues ? new Map() : undefined;
  }

  /** How many went out. */
  get count(): number {
    return this.#count;
  }

  /** The first sequence number that is not settled. */
  get settledEnd(): number {
    return this.#settled.end;
  }

  /** How many are out and can still be settled. */
  get unsettled(): number {
    return this.#isOver ? 0 : this.#unsettled;
  }

  isSettled(seq: number): boolean {
    return this.#settled.has(seq);
  }

  get handedOver(): number {
    return this.#handedOver;
  }

  /** Counts a value as out from here on; its sequence number. */
  add(value: T, bytes: number): number {
    const seq = this.#count;
    this.#count += 1;
    this.#unsettled += 1;
    this.#unreleased.add(bytes);
    this.#window.take(bytes);
    this.#values?.set(seq, value);
    return seq;
  }

  ack(first: number, next: number): void {
    const fresh = this.#isOver ? 0 : this.#ackFresh(first, Math.min(next, this.#count));
    const freed = this.#free(first, next);
    this.#handedOver += freed;
    if (fresh > 0) this.#listener.acked(fresh);
    if (fresh > 0 || freed > 0) this.#listener.released();
  }

  nack(first: number, next: number, cause: unknown): void {
    const nacked: [number, T | undefined][] = [];
    for (let seq = first; !this.#isOver && seq < Math.min(next, this.#count); seq += 1) {
      if (this.#settled.mark(seq, seq + 1) > 0) nacked.push([seq, this.#takeValue(seq)]);
    }
    this.#unsettled -= nacked.length;
    const freed = this.#free(first, next);
    for (const [seq, value] of nacked) this.#listener.nacked(seq, value, cause);
    if (nacked.length > 0 || freed > 0) this.#listener.released();
  }

  release(first: number, next: number): void {
    const freed = this.#free(first, next);
    this.#handedOver += freed;
    if (freed > 0) this.#listener.released();
  }

  /** Nothing to note: what was emitted cannot be read again from a ledger. */
  hold(): void {}

  /** Ends the epoch: later acks and nacks are stale, and holders are notified. Releases still count. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#values?.clear();
    this.flush$.complete();
  }

  #ackFresh(first: number, next: number): number {
    if (this.#values === undefined) {
      const fresh = this.#settled.mark(first, next);
      this.#unsettled -= fresh;
      return fresh;
    }
    let fresh = 0;
    for (let seq = first; seq < next && !this.#isOver; seq += 1) {
      if (this.#settled.mark(seq, seq + 1) === 0) continue;
      fresh += 1;
      this.#unsettled -= 1;
      this.#listener.ackedValue(this.#takeValue(seq) as T);
    }
    return fresh;
  }

  #takeValue(seq: number): T | undefined {
    const value = this.#values?.get(seq);
    this.#values?.delete(seq);
    return value;
  }

  #free(first: number, next: number): number {
    const { count, bytes } = this.#unreleased.release(first, next);
    this.#window.free(count, bytes);
    return count;
  }
}
