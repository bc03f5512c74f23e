import { Subject } from 'rxjs';
import type { Duty, Want } from '../../core/duty.js';
import { PlaceSet } from '../../core/place-set.js';
import { Reach, type TakenUp } from '../../core/reach.js';
import { Unreleased } from '../../core/unreleased.js';
import { Watermark } from '../../core/watermark.js';
import type { InFlightWindow } from '../../core/window.js';
import type { KafkaBatch, KafkaRecord, TopicPartition } from '../../ports/kafka-consumer.js';
import { RecordDelivery } from './record-delivery.js';

/** What a partition tells the session it belongs to. */
export interface PartitionListener {
  acked(count: number): void;
  nacked(partition: Partition, offset: number, cause: unknown): void;
  released(): void;
  /** A sink has begun to wait for what lies before its commit, or waits no more. */
  awaited(): void;
}

/**
 * One partition for one assignment epoch, or from one rewind to the next: what arrived and is not emitted yet, what is
 * out, and what may be committed. A new epoch is a new object, so an ack of an old one cannot reach it.
 */
export class Partition implements Duty, TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly wanted = new Subject<Want>();
  readonly watermark: Watermark;
  /** Present where the source takes up from a ledger. */
  readonly replay: Reach | undefined;
  /** Where reading began, −1 where the broker decided that. */
  readonly start: number;
  /** The offset last told to the broker; −1 where it must still be told, also while nothing is acked. */
  committed: number;
  isPaused = false;
  highWatermark = 0;
  readonly #window: InFlightWindow;
  readonly #listener: PartitionListener;
  readonly #unreleased = new Unreleased();
  readonly #nacked = new PlaceSet();
  #batches: KafkaBatch[] = [];
  #emitted = 0;
  #isOver = false;

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
    this.topic = of.topic;
    this.partition = of.partition;
    this.start = start;
    this.watermark = new Watermark(start);
    this.replay = takenUp === undefined ? undefined : new Reach(this.watermark, takenUp, () => listener.awaited());
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
    return this.#isOver || this.watermark.unacked === this.#nacked.size;
  }

  get isOver(): boolean {
    return this.#isOver;
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
    const record = batch.records[this.#emitted] as KafkaRecord;
    const place = this.watermark.add(record.offset);
    if (this.committed < 0 && place === 0 && this.replay?.start === undefined) this.committed = record.offset;
    this.#unreleased.add(record.byteLength);
    this.#window.take(record.byteLength);
    this.#emitted += 1;
    if (this.#emitted === batch.records.length) {
      this.#readUpTo(batch.nextOffset);
      this.#batches.shift();
      this.#emitted = 0;
    }
    return new RecordDelivery(record, this, place);
  }

  ack(first: number, next: number): void {
    let fresh = 0;
    if (!this.#isOver) {
      if (this.#nacked.size === 0) fresh = this.#ackRun(first, next);
      else {
        for (let place = first; place < next; place += 1) {
          if (!this.#nacked.has(place)) fresh += this.#ackRun(place, place + 1);
        }
      }
    }
    const isFreed = this.#free(first, next);
    if (fresh > 0) this.#listener.acked(fresh);
    // Of an epoch that is over it says nothing but that there is room: who waits for that must hear of it.
    else if (isFreed) this.#listener.released();
  }

  nack(first: number, next: number, cause: unknown): void {
    let refused = -1;
    if (!this.#isOver) {
      for (let place = first; place < next; place += 1) {
        if (this.watermark.isAcked(place) || !this.#nacked.add(place)) continue;
        if (refused < 0) refused = this.watermark.offsetOf(place);
      }
      if (refused >= 0) this.replay?.refuse(refused);
    }
    const isFreed = this.#free(first, next);
    if (refused >= 0) this.#listener.nacked(this, refused, cause);
    else if (isFreed) this.#listener.released();
  }

  release(first: number, next: number): void {
    if (this.#free(first, next)) this.#listener.released();
  }

  hold(first: number, next: number): void {
    if (!this.#isOver) this.replay?.cover(first, next);
  }

  /** Ends the epoch: later acks and nacks are void, and holders are told so. Releases still count. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.dropQueued();
    this.wanted.complete();
  }

  #ackRun(first: number, next: number): number {
    this.replay?.cover(first, next);
    return this.watermark.ack(first, next);
  }

  #readUpTo(nextOffset: number): void {
    this.watermark.readUpTo(nextOffset);
    this.replay?.readFurther();
  }

  #free(first: number, next: number): boolean {
    const freed = this.#unreleased.release(first, next);
    if (freed.count === 0) return false;
    this.#window.free(freed.count, freed.bytes);
    return true;
  }
}

/** The stream name of a partition: `kafka:<topic>/<partition>`. */
export function streamOf(of: TopicPartition): string {
  return `kafka:${of.topic}/${of.partition}`;
}
