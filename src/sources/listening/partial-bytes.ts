/**
 * What all clients of a source together have begun and not ended: a bound on memory that many slow clients cannot pass.
 *
 * Bounds: `limit`, and what one reading brings.
 */
export class PartialBytes {
  readonly #limit: number;
  readonly #held = new Map<object, number>();
  #sum = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A client now holds so many; false where that is more than there is for all, and the client must be closed. */
  set(client: object, bytes: number): boolean {
    const before = this.#held.get(client) ?? 0;
    this.#sum += bytes - before;
    if (bytes === 0) this.#held.delete(client);
    else this.#held.set(client, bytes);
    // One alone may be as large as it is allowed to be.
    return this.#sum <= this.#limit || bytes <= before || this.#held.size === 1;
  }
}
