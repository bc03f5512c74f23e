import type { Observable } from 'rxjs';
import { AckGroup } from '../../delivery/ack-group.js';
import type { FlushSignal } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { Receipt } from '../../delivery/receipt.js';
import type { KafkaOutgoing, KafkaSent } from '../../ports/kafka-producer.js';
import { recordBytes } from './record.js';

/** What of one stream is in one topic. */
interface Share {
  readonly stream: string;
  readonly topic: string;
  values: number;
  bytes: number;
  firstOffset: number;
  lastOffset: number;
}

/** Deliveries with their records, in order of arrival, that are sent together. */
export class Batch {
  readonly deliveries: Delivery<unknown>[] = [];
  readonly records: KafkaOutgoing[] = [];
  bytes = 0;
  readonly #stale = new Set<number>();
  #answered = 0;

  get size(): number {
    return this.records.length;
  }

  /** Whether a record is still to be written. */
  readonly isWanted = (place: number): boolean => !this.#stale.has(place);

  /** Refuses those of an epoch that is over. They are not to be written, where they are not yet. */
  refuseStale(isOver: (flush$: Observable<FlushSignal>) => boolean, cause: unknown): void {
    for (const [place, delivery] of this.deliveries.entries()) {
      if (!isOver(delivery.acker.flush$)) continue;
      this.#stale.add(place);
      delivery.nack(cause);
    }
  }

  /** So many of it are settled. */
  answered(records: number): void {
    this.#answered += records;
  }

  add(delivery: Delivery<unknown>, record: KafkaOutgoing): void {
    this.deliveries.push(delivery);
    this.records.push(record);
    this.bytes += recordBytes(record);
  }

  /** How many are not answered. */
  get left(): number {
    return this.size - this.#answered;
  }

  /** Refuses what is not answered. */
  nack(cause: unknown): void {
    if (this.left === 0) return;
    this.#answered = this.size;
    for (const delivery of this.deliveries) delivery.nack(cause);
  }

  /** Nacks those that are stale, and takes them out. */
  drop(isStale: (delivery: Delivery<unknown>) => boolean, cause: unknown): void {
    const deliveries = this.deliveries.splice(0);
    const records = this.records.splice(0);
    this.bytes = 0;
    for (const [place, delivery] of deliveries.entries()) {
      if (!isStale(delivery)) this.add(delivery, records[place] as KafkaOutgoing);
    }
    // Last: a nack may free a window, and what comes then belongs behind these.
    for (const delivery of deliveries) if (isStale(delivery)) delivery.nack(cause);
  }
}

/** What was written: kept as places, to be acked together, and counted by stream and topic. */
export class Written {
  readonly ackGroup = new AckGroup();
  readonly #shares = new Map<string, Share>();
  #share: Share | undefined;
  values = 0;
  bytes = 0;

  /** Takes in what of a batch was written; refuses nothing. */
  add({ deliveries, records }: Batch, { written }: KafkaSent): void {
    for (const place of written) {
      const delivery = deliveries[place] as Delivery<unknown>;
      this.ackGroup.add(delivery);
      this.#count(delivery, records[place] as KafkaOutgoing);
    }
  }

  receipts(): Receipt[] {
    return [...this.#shares.values()].map(({ topic, ...share }) => ({ sink: 'kafka', target: topic, ...share }));
  }

  #count({ origin: { stream, offset } }: Delivery<unknown>, record: KafkaOutgoing): void {
    const { topic } = record;
    let share = this.#share;
    if (share === undefined || share.stream !== stream || share.topic !== topic) {
      share = this.#shareOf(stream, topic, offset);
      this.#share = share;
    }
    const bytes = recordBytes(record);
    share.values += 1;
    share.bytes += bytes;
    if (offset < share.firstOffset) share.firstOffset = offset;
    if (offset > share.lastOffset) share.lastOffset = offset;
    this.values += 1;
    this.bytes += bytes;
  }

  #shareOf(stream: string, topic: string, offset: number): Share {
    const key = `${topic} ${stream}`;
    let share = this.#shares.get(key);
    if (share === undefined) {
      share = { stream, topic, values: 0, bytes: 0, firstOffset: offset, lastOffset: offset };
      this.#shares.set(key, share);
    }
    return share;
  }
}
