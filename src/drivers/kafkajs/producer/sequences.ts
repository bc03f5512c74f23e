import type { ProducerId } from './producer-link.js';

/** Beyond it sequences begin at 0 again. */
const SEQUENCES = 2 ** 31;
const MAX_EPOCH = 2 ** 15 - 1;

interface NextSequence {
  epoch: number;
  next: number;
}

/**
 * A producer id with, for each partition, its epoch and the number of records written there: the broker drops what it has
 * already by them. Each partition has an epoch of its own: the broker keeps them apart too, and what is in doubt in one
 * partition does not concern the others.
 */
export class Sequences {
  readonly transactionalId: string | null;
  readonly #id: ProducerId;
  readonly #partitions = new Map<string, NextSequence>();

  constructor(id: ProducerId, transactionalId: string | null) {
    this.#id = id;
    this.transactionalId = transactionalId;
  }

  get id(): ProducerId {
    return this.#id;
  }

  /** Who writes the next record of a partition, and by which number. */
  next(partition: string): ProducerId & { readonly firstSequence: number } {
    const { epoch, next } = this.#nextOf(partition);
    return { producerId: this.#id.producerId, epoch, firstSequence: next };
  }

  /** So many records of a partition are written. */
  written(partition: string, records: number): void {
    const sequence = this.#nextOf(partition);
    sequence.next = (sequence.next + records) % SEQUENCES;
  }

  /**
   * Begins anew in a partition, by the next epoch: what was sent by the last one is rejected from the first batch of this one
   * on, however late it arrives. False where there is no higher epoch.
   *
   * Source: KIP-360.
   */
  bump(partition: string): boolean {
    const sequence = this.#nextOf(partition);
    if (sequence.epoch >= MAX_EPOCH) return false;
    sequence.epoch += 1;
    sequence.next = 0;
    return true;
  }

  #nextOf(partition: string): NextSequence {
    let sequence = this.#partitions.get(partition);
    if (sequence === undefined) {
      sequence = { epoch: this.#id.epoch, next: 0 };
      this.#partitions.set(partition, sequence);
    }
    return sequence;
  }
}
