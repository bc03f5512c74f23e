import type { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { monotonicMs, timeOfDayMs } from '../../core/clock.js';
import type { Acker } from '../../delivery/acker.js';
import { Delivery } from '../../delivery/delivery.js';
import type { ResumePoint } from '../../offsets/commit-horizon.js';
import { OffsetTracker, type OffsetTrackerListener } from '../../offsets/offset-tracker.js';
import { type AgeHistograms, TimeIndex } from '../../offsets/time-index.js';
import type { KafkaBatch, KafkaRecord, KafkaRecords, TopicPartition } from '../../ports/kafka-consumer.js';

/** What a partition tells the session it belongs to. */
export interface PartitionListener extends OffsetTrackerListener {
  nacked(partition: Partition, offset: number, cause: unknown): void;
}

/** Records that wait, and how far the log was read behind them. */
interface Queued {
  readonly records: KafkaRecords;
  nextOffset: number;
}

/**
 * One partition for one assignment epoch, or from one rewind to the next: what arrived and is not emitted yet, what is
 * out, and what may be committed.
 */
export class Partition extends OffsetTracker implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  #start: number;
  /** The offset last committed to the broker; −1 where one must still be committed, also while nothing is acked. */
  committed: number;
  isPaused = false;
  /** The group takes it away: nothing more of it goes out, and what is out is to be settled. */
  isLeaving = false;
  /** The offset after the last record of the log, as far as is known; −1 where it is not. */
  highWatermark = -1;
  /** The first offset that the log still has, as far as is known; −1 where it is not. */
  logStart = -1;
  readonly #window: InFlightWindow;
  readonly #listener: PartitionListener;
  readonly #ages: AgeHistograms | undefined;
  readonly #times = new TimeIndex();
  /** The time of what is to be read again first. */
  #resumeTime: number | undefined;
  #queue: Queued[] = [];
  #emitted = 0;

  /**
   * `start`: the offset reading begins at, or −1 where the broker's committed offset decides; `resumePoint`: what a ledger
   * said about it, where the source asked one.
   */
  constructor(
    of: TopicPartition,
    start: number,
    resumePoint: ResumePoint | undefined,
    window: InFlightWindow,
    listener: PartitionListener,
    ages?: AgeHistograms,
  ) {
    super(start, resumePoint, listener);
    this.topic = of.topic;
    this.partition = of.partition;
    this.#start = start;
    // The ledger is what is believed; its offset is committed to the broker, which may be behind it or ahead.
    this.committed = resumePoint?.start === undefined ? start : -1;
    this.#window = window;
    this.#listener = listener;
    this.#ages = ages;
  }

  /** Where reading began, −1 where the broker decided that. */
  get start(): number {
    return this.#start;
  }

  /** Reading begins there, of which the broker does not know yet. */
  beginAt(offset: number): void {
    this.#start = offset;
    this.watermark.readUpTo(offset);
  }

  get stream(): string {
    return streamOf(this);
  }

  /** True where records wait to be emitted. */
  get hasQueued(): boolean {
    return this.#queue.length > 0;
  }

  /** True when nothing of it can be acked any more: everything emitted is acked or nacked, or the epoch is over. */
  get isSettled(): boolean {
    return this.unsettled === 0;
  }

  /** Its watermark is still to be committed. */
  get isUncommitted(): boolean {
    return this.watermark.offset > this.committed;
  }

  /** Nothing of it would be redelivered to its next owner; where a ledger is kept, that says so. */
  get isDone(): boolean {
    return this.isSettled && !this.isOver && (this.resumeTracker !== undefined || !this.isUncommitted);
  }

  enqueue(batch: KafkaBatch): void {
    const { records, nextOffset } = batch;
    if (this.#start < 0 && records.length > 0) this.#startedAt((records.at(0) as KafkaRecord).offset);
    this.highWatermark = Math.max(this.highWatermark, batch.highWatermark);
    const last = this.#queue.at(-1);
    if (records.length > 0) this.#queue.push({ records, nextOffset });
    else if (last === undefined) this.#readUpTo(nextOffset);
    // What waits before it goes out first.
    else last.nextOffset = Math.max(last.nextOffset, nextOffset);
  }

  dropQueued(): void {
    this.#queue = [];
    this.#emitted = 0;
  }

  /** The next record that waits, counted as out from here on. */
  take(): Delivery<Buffer | null> | undefined {
    const queued = this.#queue[0];
    if (queued === undefined) return undefined;
    const record = queued.records.at(this.#emitted) as KafkaRecord;
    const seq = this.add(record.offset, record.byteLength);
    this.#resumeTime = undefined;
    this.#window.take(record.byteLength);
    // No record is younger than the moment it goes out, whatever its producer wrote.
    if (this.#times.wants(seq, this.#emitted === 0))
      this.#times.add(seq, Math.min(record.timestamp, timeOfDayMs()), monotonicMs());
    this.#emitted += 1;
    if (this.#emitted === queued.records.length) {
      this.#readUpTo(queued.nextOffset);
      this.#queue.shift();
      this.#emitted = 0;
    }
    return new RecordDelivery(record, this, seq);
  }

  /** The same partition in its next epoch, read again from where the ledger says, or else from the watermark. */
  renewed(resumePoint: ResumePoint | undefined): Partition {
    const start = resumePoint?.start ?? this.watermark.offset;
    const fresh = new Partition(this, start, resumePoint, this.#window, this.#listener, this.#ages);
    fresh.highWatermark = this.highWatermark;
    fresh.logStart = this.logStart;
    fresh.#resumeTime = this.oldestTime;
    fresh.committed = this.committed;
    return fresh;
  }

  /** The same partition, read on from another offset, which is still to be committed. */
  movedTo(offset: number): Partition {
    const fresh = new Partition(this, offset, undefined, this.#window, this.#listener, this.#ages);
    fresh.highWatermark = this.highWatermark;
    fresh.logStart = this.logStart;
    fresh.committed = -1;
    return fresh;
  }

  /** Ends the epoch: later acks and nacks are ignored, and holders learn of it. Releases still count. */
  override end(): void {
    if (!this.isOver) this.dropQueued();
    super.end();
  }

  /** When the oldest record that was read and is not settled was made, in milliseconds since 1970, as far as is known. */
  get oldestTime(): number | undefined {
    if (this.watermark.unacked > 0) return this.#times.oldestTime;
    const next = this.#queue[0]?.records.at(this.#emitted)?.timestamp ?? this.#resumeTime ?? -1;
    return next > 0 ? Math.min(next, timeOfDayMs()) : undefined;
  }

  protected sentAtOf(seq: number): number | undefined {
    return this.#times.sentAtOf(seq);
  }

  protected override advanced(): void {
    const { ackedEnd, count } = this.watermark;
    if (this.#ages === undefined || !this.#times.isPassedBy(ackedEnd, count)) return;
    this.#times.ackedUpTo(ackedEnd, count, { ms: monotonicMs(), date: timeOfDayMs() }, this.#ages);
  }

  protected nacked(offset: number, cause: unknown): void {
    this.#listener.nacked(this, offset, cause);
  }

  protected freed(count: number, bytes: number): void {
    this.#window.free(count, bytes);
  }

  /** The broker decided where, so it knows that offset, or one before it with nothing between. */
  #startedAt(offset: number): void {
    this.beginAt(offset);
    this.committed = Math.max(this.committed, offset);
  }

  #readUpTo(nextOffset: number): void {
    this.watermark.readUpTo(nextOffset);
    this.resumeTracker?.readFurther();
  }
}

/** The delivery of one record. Its value is made from the fetched bytes when first asked for, and then kept. */
class RecordDelivery extends Delivery<Buffer | null> {
  readonly #record: KafkaRecord;
  #made: Buffer | null | undefined;

  constructor(record: KafkaRecord, acker: Acker, seq: number) {
    super(null, record, acker, seq);
    this.#record = record;
  }

  override get value(): Buffer | null {
    if (this.#made === undefined) this.#made = this.#record.value;
    return this.#made;
  }
}

/** The stream name of a partition: `kafka:<topic>/<partition>`. */
export function streamOf(of: TopicPartition): string {
  return `kafka:${of.topic}/${of.partition}`;
}
