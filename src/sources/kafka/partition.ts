import { OrderedDuty, type OrderedDutyListener } from '../../core/ordered-duty.js';
import type { TakenUp } from '../../core/reach.js';
import type { InFlightWindow } from '../../core/window.js';
import type { KafkaBatch, KafkaRecord, TopicPartition } from '../../ports/kafka-consumer.js';
import { RecordDelivery } from './record-delivery.js';

/** What a partition tells the session it belongs to. */
export interface PartitionListener extends OrderedDutyListener {
  nacked(partition: Partition, offset: number, cause: unknown): void;
}

/**
 * One partition for one assignment epoch, or from one rewind to the next: what arrived and is not emitted yet, what is
 * out, and what may be committed.
 */
export class Partition extends OrderedDuty implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  /** Where reading began, −1 where the broker decided that. */
  readonly start: number;
  /** The offset last told to the broker; −1 where it must still be told, also while nothing is acked. */
  committed: number;
  isPaused = false;
  highWatermark = 0;
  readonly #window: InFlightWindow;
  readonly #listener: PartitionListener;
  #batches: KafkaBatch[] = [];
  #emitted = 0;

  /**
   * `start`: the offset reading begins at, or −1 where the broker's committed offset decides; `takenUp`: what a ledger
   * said about it, where the source asked one.
   */
  constructor(
    of: TopicPartition,
    start: number,
    takenUp: TakenUp | undefined,
    window: InFlightWindow,
    listener: PartitionListener,
  ) {
    super(start, takenUp, listener);
    this.topic = of.topic;
    this.partition = of.partition;
    this.start = start;
    // The ledger is what is believed; the broker, which may be behind it or ahead, is told what it says.
    this.committed = takenUp?.start === undefined ? start : -1;
    this.#window = window;
    this.#listener = listener;
  }

  get stream(): string {
    return streamOf(this);
  }

  /** True where records wait to be emitted. */
  get hasQueued(): boolean {
    return this.#batches.length > 0;
  }

  /** True when nothing of it can be acked any more: everything emitted is acked or nacked, or the epoch is over. */
  get isSettled(): boolean {
    return this.unsettled === 0;
  }

  enqueue(batch: KafkaBatch): void {
    this.highWatermark = batch.highWatermark;
    if (batch.records.length === 0) {
      if (!this.hasQueued) this.#readUpTo(batch.nextOffset);
      return;
    }
    this.#batches.push(batch);
  }

  dropQueued(): void {
    this.#batches = [];
    this.#emitted = 0;
  }

  /** The next record that waits, counted as out from here on. */
  take(): RecordDelivery | undefined {
    const batch = this.#batches[0];
    if (batch === undefined) return undefined;
    const record = batch.records.at(this.#emitted) as KafkaRecord;
    const place = this.add(record.offset, record.byteLength);
    if (this.committed < 0 && place === 0 && this.replay?.start === undefined) this.committed = record.offset;
    this.#window.take(record.byteLength);
    this.#emitted += 1;
    if (this.#emitted === batch.records.length) {
      this.#readUpTo(batch.nextOffset);
      this.#batches.shift();
      this.#emitted = 0;
    }
    return new RecordDelivery(record, this, place);
  }

  /** Ends the epoch: later acks and nacks are void, and holders are told so. Releases still count. */
  override end(): void {
    if (!this.isOver) this.dropQueued();
    super.end();
  }

  protected refused(offset: number, cause: unknown): void {
    this.#listener.nacked(this, offset, cause);
  }

  protected freed(count: number, bytes: number): void {
    this.#window.free(count, bytes);
  }

  #readUpTo(nextOffset: number): void {
    this.watermark.readUpTo(nextOffset);
    this.replay?.readFurther();
  }
}

/** The stream name of a partition: `kafka:<topic>/<partition>`. */
export function streamOf(of: TopicPartition): string {
  return `kafka:${of.topic}/${of.partition}`;
}
