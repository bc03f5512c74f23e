/** How far a stream is, by numbers that only rise while it is read in one go. */
export interface StreamPosition {
  readonly stream: string;
  /** Up to where it was read. */
  readonly read: number;
  /** Up to where all is acked. */
  readonly acked: number;
  /** How many records a sink has taken the bytes of since reading began, or began again after a nack. */
  readonly handedOver: number;
}

interface Known {
  read: number;
  acked: number;
  handedOver: number;
  /** The most that was handed over since the last ack. */
  most: number;
  /** How often reading began again since the last ack. */
  rereads: number;
}

/**
 * For how long a source has not got any further though there is something to do. Progress is a record that is read for the first
 * time, acked, or handed over. While records are read again after a nack, the first pass makes progress as they are handed over, so a
 * long pass that is stored well is no stall; each pass behind it only from where the one before had come. Otherwise a storage
 * that takes a little, hangs, times out and is tried again would look busy.
 *
 * It knows what it is shown: what moved between two readings counts as moving at the second, so the answer is too low by at most the
 * time between them, and never too high.
 *
 * Pure. Bounds: five numbers for each stream.
 */
export class NoProgress {
  #owner: unknown;
  readonly #known = new Map<string, Known>();
  #since = 0;

  /** In seconds. `owner`: another object than before where the streams were assigned anew; that counts as progress. */
  of(owner: unknown, streams: Iterable<StreamPosition>, now: number, isPending: boolean): number {
    let hasMoved = owner !== this.#owner;
    // Another owner may have left it anywhere.
    if (hasMoved) this.#known.clear();
    this.#owner = owner;
    for (const position of streams) if (this.#hasMoved(position)) hasMoved = true;
    if (hasMoved || !isPending) this.#since = now;
    return Math.max(0, (now - this.#since) / 1_000);
  }

  #hasMoved({ stream, read, acked, handedOver }: StreamPosition): boolean {
    const known = this.#known.get(stream);
    if (known === undefined) {
      this.#known.set(stream, { read, acked, handedOver, most: handedOver, rereads: 0 });
      return true;
    }
    const isFurther = read > known.read || acked > known.acked;
    known.read = Math.max(known.read, read);
    if (acked > known.acked) {
      known.acked = acked;
      known.most = handedOver;
      known.rereads = 0;
    } else if (handedOver < known.handedOver) {
      known.rereads += 1;
      if (known.rereads === 1) known.most = 0;
    }
    known.handedOver = handedOver;
    const isHandedOver = handedOver > known.most;
    if (isHandedOver) known.most = handedOver;
    return isFurther || isHandedOver;
  }
}
