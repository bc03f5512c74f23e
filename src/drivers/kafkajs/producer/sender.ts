import type { KafkaProducing } from '../../../ports/kafka-producer.js';
import type { Signal } from '../consumer/signal.js';
import type { Setting } from '../errors.js';
import type { Packing } from './batch-writer.js';
import type { PartitionBatch } from './partition-batch.js';
import type { ProducerLink } from './producer-link.js';
import type { Sequences } from './sequences.js';

/** In whose name records are sent. */
export interface Sender {
  /** The producer id to send with now. */
  sequences(): Promise<Sequences>;
  /** These partitions are about to be written to. */
  joining?(partitionBatches: readonly PartitionBatch[]): Promise<void>;
  /** Drops the producer id, which has no higher epoch; absent where a sequence that is rejected is the end of a transaction. */
  renew?(): void;
  /** The broker does not have the sequence that a partition goes on from; it begins anew. */
  anew?(partition: string, error: unknown): void;
}

/** What sending needs of the producer it sends for. */
export interface ProducingFor {
  readonly link: ProducerLink;
  readonly setting: Setting;
  readonly producing: KafkaProducing;
  readonly packing: Packing;
  /** Fires when the producer is closed. */
  readonly closing: Signal;
  readonly isClosed: boolean;
}
