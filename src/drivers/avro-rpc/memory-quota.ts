/** One who takes memory for a frame that has begun. */
export interface QuotaHolder {
  /** The memory it has taken. */
  readonly heldBytes: number;
  /** Whether it may take more, until the next call. */
  mayTake(may: boolean): void;
}

/**
 * Shares a bound on memory between those whose frames have begun: while it is used up, only the one that began first
 * may take more, so that one frame after the other ends and none waits forever.
 *
 * Bounds: the limit, plus one frame.
 */
export class MemoryQuota {
  readonly #limit: number;
  /** In order of beginning. */
  readonly #holders = new Map<QuotaHolder, number>();
  #held = 0;
  #isTight = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** To be called whenever what a holder has taken may have changed; 0 ends its turn. */
  update(holder: QuotaHolder): void {
    const before = this.#holders.get(holder) ?? 0;
    const now = holder.heldBytes;
    if (before === now) return;
    this.#held += now - before;
    if (now === 0) {
      this.#holders.delete(holder);
      holder.mayTake(true);
    } else this.#holders.set(holder, now);
    if (this.#isTight || this.#held >= this.#limit) this.#share();
  }

  #share(): void {
    this.#isTight = this.#held >= this.#limit;
    for (const holder of [...this.#holders.keys()]) {
      // Looked up each time: one that may go on may end at once, and another is the first.
      const [first] = this.#holders.keys();
      if (this.#holders.has(holder)) holder.mayTake(holder === first || !this.#isTight);
    }
  }
}
