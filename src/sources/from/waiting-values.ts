import type { WindowLimits } from '../../backpressure/in-flight-window.js';

/** A value that has come and has not gone out. */
export interface WaitingValue<T> {
  readonly value: T;
  readonly bytes: number;
  /** When it came, in milliseconds since 1970. */
  readonly time: number;
}

/** What waits for room in the window, oldest first. Bounds: `limits`, plus one value that is larger than all of them. */
export class WaitingValues<T> {
  readonly #limits: WindowLimits;
  #values: WaitingValue<T>[] = [];
  /** Those before it have gone; they are dropped together, so that taking one does not move all behind it. */
  #first = 0;
  #bytes = 0;

  constructor(limits: WindowLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#values.length - this.#first;
  }

  get oldest(): WaitingValue<T> | undefined {
    return this.#values[this.#first];
  }

  /** More waits than may. A value that is larger than all that may wait waits alone. */
  get isOver(): boolean {
    return this.size > this.#limits.count || (this.size > 1 && this.#bytes > this.#limits.bytes);
  }

  add(waiting: WaitingValue<T>): void {
    this.#values.push(waiting);
    this.#bytes += waiting.bytes;
  }

  takeOldest(): WaitingValue<T> | undefined {
    const oldest = this.#values[this.#first];
    if (oldest === undefined) return undefined;
    this.#first += 1;
    this.#bytes -= oldest.bytes;
    if (this.#first * 2 > this.#values.length) {
      this.#values = this.#values.slice(this.#first);
      this.#first = 0;
    }
    return oldest;
  }

  takeNewest(): WaitingValue<T> | undefined {
    if (this.size === 0) return undefined;
    const newest = this.#values.pop();
    this.#bytes -= newest?.bytes ?? 0;
    return newest;
  }

  clear(): WaitingValue<T>[] {
    const all = this.#values.slice(this.#first);
    this.#values = [];
    this.#first = 0;
    this.#bytes = 0;
    return all;
  }
}
