import { FencedError } from '../../core/errors.js';
import type { PartitionOffset, TopicPartition } from '../../ports/kafka-consumer.js';
import type { KafkaOutgoing } from '../../ports/kafka-producer.js';

/** Where transactions are carried out. */
export interface TransactionStore {
  write(of: TopicPartition, record: KafkaOutgoing, transaction: object | null): void;
  decide(of: TopicPartition, transaction: object, outcome: 'commit' | 'abort'): void;
  setCommitted(groupId: string, offsets: readonly PartitionOffset[]): void;
}

interface Open {
  readonly partitions: Map<string, TopicPartition>;
  readonly offsets: { readonly groupId: string; readonly offsets: readonly PartitionOffset[] }[];
}

/** The transaction coordinator of `MemoryKafka`: who has each id now, and what it has open. */
export class MemoryTransactions {
  readonly #store: TransactionStore;
  readonly #epochs = new Map<string, number>();
  readonly #open = new Map<string, Open>();

  constructor(store: TransactionStore) {
    this.#store = store;
  }

  /** Aborts what is open, and answers the epoch of who has the id now. */
  take(id: string): number {
    this.#end(id, 'abort');
    const epoch = (this.#epochs.get(id) ?? -1) + 1;
    this.#epochs.set(id, epoch);
    return epoch;
  }

  write(id: string, epoch: number, of: TopicPartition, record: KafkaOutgoing): void {
    const open = this.#opened(id, epoch);
    open.partitions.set(`${of.topic}/${of.partition}`, of);
    this.#store.write(of, record, open);
  }

  addOffsets(id: string, epoch: number, groupId: string, offsets: readonly PartitionOffset[]): void {
    this.#opened(id, epoch).offsets.push({ groupId, offsets });
  }

  commit(id: string, epoch: number): void {
    this.#opened(id, epoch);
    this.#end(id, 'commit');
  }

  #opened(id: string, epoch: number): Open {
    if (this.#epochs.get(id) !== epoch) {
      throw new FencedError('RXF_KAFKA_FENCED', `Transactional id ${id} was taken by another.`);
    }
    let open = this.#open.get(id);
    if (open === undefined) {
      open = { partitions: new Map(), offsets: [] };
      this.#open.set(id, open);
    }
    return open;
  }

  #end(id: string, outcome: 'commit' | 'abort'): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    for (const of of open.partitions.values()) this.#store.decide(of, open, outcome);
    if (outcome === 'abort') return;
    for (const { groupId, offsets } of open.offsets) this.#store.setCommitted(groupId, offsets);
  }
}
