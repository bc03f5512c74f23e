import type { ProducerId } from './producer-link.js';

/** Beyond it sequences begin at 0 again. */
const SEQUENCES = 2 ** 31;

/** A producer id with the number of records it has written to each partition: the broker drops what comes twice by them. */
export class Sequences {
  readonly id: ProducerId;
  readonly transactionalId: string | null;
  readonly #next = new Map<string, number>();

  constructor(id: ProducerId, transactionalId: string | null) {
    this.id = id;
    this.transactionalId = transactionalId;
  }

  /** The sequence of the next record of a partition. */
  next(partition: string): number {
    return this.#next.get(partition) ?? 0;
  }

  /** So many records of a partition are written. */
  written(partition: string, records: number): void {
    this.#next.set(partition, (this.next(partition) + records) % SEQUENCES);
  }
}
