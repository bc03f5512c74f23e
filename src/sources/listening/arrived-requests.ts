import type { Received } from './intake.js';

/** A request that was received, and when it was made, in milliseconds since 1970. */
interface Arrived<T> {
  readonly request: Received<T>;
  readonly time: number;
}

/** Requests that were received and are not out, in the order in which they came. */
export class ArrivedRequests<T> {
  #all: Arrived<T>[] = [];

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  /** How many values they have together. */
  get valueCount(): number {
    return this.#all.reduce((sum, { request }) => sum + request.values.length, 0);
  }

  /** When each was made. */
  get times(): readonly number[] {
    return this.#all.map(({ time }) => time);
  }

  add(request: Received<T>, time: number): void {
    this.#all.push({ request, time });
  }

  shift(): Arrived<T> | undefined {
    return this.#all.shift();
  }

  /** Answers all of them that they are to be sent again. */
  reject(): void {
    for (const { request } of this.#all.splice(0)) request.reply({ isDurable: false, why: 'draining' });
  }

  clear(): void {
    this.#all = [];
  }
}
