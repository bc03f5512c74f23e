/** What holds encoded values until it hands them over. */
export interface HoldsChunk {
  /** How many bytes it holds. */
  readonly heldBytes: number;
  handOver(): void;
}

/**
 * Keeps what the open files of a sink hold together within `totalBytes`, for formats that gather a lot before they pass it on: the
 * largest chunk goes first, so that a few large ones are written rather than many small ones.
 *
 * Bounds: `totalBytes`, and one value.
 */
export class ChunkBudget {
  readonly #totalBytes: number;
  readonly #holders = new Set<HoldsChunk>();
  #heldBytes = 0;

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes;
  }

  opened(holder: HoldsChunk): void {
    this.#holders.add(holder);
  }

  /** It holds nothing, and will not again. */
  closed(holder: HoldsChunk): void {
    this.#holders.delete(holder);
  }

  changed(bytes: number): void {
    this.#heldBytes += bytes;
  }

  /** Has the largest handed over until the rest is within the bound. */
  keep(): void {
    while (this.#heldBytes > this.#totalBytes) {
      const [largest] = largestFirst(this.#holders);
      if (largest === undefined || largest.heldBytes === 0) return;
      largest.handOver();
    }
  }
}

/** Has the largest handed over until half of the bytes are: small chunks stay, and grow. */
export function handOverHalf(holders: Iterable<HoldsChunk>): void {
  const files = largestFirst(holders);
  let left = files.reduce((sum, { heldBytes }) => sum + heldBytes, 0) / 2;
  for (const file of files) {
    if (left <= 0) return;
    left -= file.heldBytes;
    file.handOver();
  }
}

function largestFirst(holders: Iterable<HoldsChunk>): HoldsChunk[] {
  return [...holders].sort((one, other) => other.heldBytes - one.heldBytes);
}
