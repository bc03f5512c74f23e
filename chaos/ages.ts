/** How far a partition is: what its log holds, and what of it is committed. */
export interface Progress {
  readonly partition: number;
  readonly end: number;
  readonly committed: number;
}

interface Age {
  committed: number;
  waitingMs: number;
  worstMs: number;
}

/**
 * How long the oldest record of each partition has waited to be committed, the time left out in which something was done to
 * the services or the collectors: what is lost and doubled does not show that one partition gets nothing for as long as the
 * others have something.
 */
export class Ages {
  readonly #ages = new Map<number, Age>();
  #lookedAtMs: number | undefined;

  /** `isUndisturbed`: whether all was up, and nobody was frozen, since the last look. */
  look(nowMs: number, all: readonly Progress[], isUndisturbed: boolean): void {
    const sinceMs = this.#lookedAtMs === undefined || !isUndisturbed ? 0 : nowMs - this.#lookedAtMs;
    this.#lookedAtMs = nowMs;
    for (const { partition, end, committed } of all) {
      const age = this.#ages.get(partition) ?? { committed: -1, waitingMs: 0, worstMs: 0 };
      this.#ages.set(partition, age);
      const hasMoved = committed > age.committed;
      age.committed = Math.max(age.committed, committed);
      age.waitingMs = hasMoved || end <= committed ? 0 : age.waitingMs + sinceMs;
      age.worstMs = Math.max(age.worstMs, age.waitingMs);
    }
  }

  /** The longest wait of each partition, in its order. */
  get worst(): readonly { readonly partition: number; readonly ms: number }[] {
    return [...this.#ages]
      .map(([partition, { worstMs: ms }]) => ({ partition, ms }))
      .sort((a, b) => a.partition - b.partition);
  }
}
