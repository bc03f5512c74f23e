/** The refusals of one stream in a row, without progress between them. */
export interface Refusal {
  /** The highest offset refused. */
  readonly offset: number;
  readonly attempt: number;
  readonly cause: unknown;
}

/** What is read in order and again after a refusal: a Kafka partition, a RabbitMQ stream. */
export interface Refusable {
  readonly stream: string;
  /** How far all is acked. */
  readonly watermark: { readonly offset: number };
}

/** Counts refusals in a row by stream: the count starts anew when the watermark has passed what was refused. */
export class Refusals {
  readonly #last = new Map<string, Refusal>();

  add(of: Refusable, offset: number, cause: unknown): Refusal {
    const before = this.#last.get(of.stream);
    const isInARow = before !== undefined && of.watermark.offset <= before.offset;
    const refusal = {
      offset: isInARow ? Math.max(before.offset, offset) : offset,
      attempt: isInARow ? before.attempt + 1 : 1,
      cause,
    };
    this.#last.set(of.stream, refusal);
    return refusal;
  }

  last(of: Refusable): Refusal | undefined {
    return this.#last.get(of.stream);
  }
}
