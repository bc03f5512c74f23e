/** The nacks of one stream in a row, without progress between them. */
export interface NackRun {
  /** The highest offset nacked. */
  readonly offset: number;
  readonly attempt: number;
  readonly cause: unknown;
}

/** What is read in order and again after a nack: a Kafka partition, a RabbitMQ stream. */
export interface NackCounted {
  readonly stream: string;
  /** How far all is acked. */
  readonly watermark: { readonly offset: number };
}

/** Counts nacks in a row by stream: the count starts anew when the watermark has passed what was nacked. */
export class NackCounter {
  readonly #last = new Map<string, NackRun>();

  add(of: NackCounted, offset: number, cause: unknown): NackRun {
    const before = this.#last.get(of.stream);
    const isInARow = before !== undefined && of.watermark.offset <= before.offset;
    const nackRun = {
      offset: isInARow ? Math.max(before.offset, offset) : offset,
      attempt: isInARow ? before.attempt + 1 : 1,
      cause,
    };
    this.#last.set(of.stream, nackRun);
    return nackRun;
  }

  /** How often what is at the offset was read in a row, this time included. */
  attemptAt(of: NackCounted, offset: number): number {
    const last = this.#last.get(of.stream);
    return last !== undefined && of.watermark.offset <= last.offset && offset <= last.offset ? last.attempt + 1 : 1;
  }

  last(of: NackCounted): NackRun | undefined {
    return this.#last.get(of.stream);
  }
}
