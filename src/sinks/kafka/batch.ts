import type { Delivery } from '../../core/delivery.js';
import { Holding } from '../../core/holding.js';
import type { Receipt } from '../../core/receipt.js';
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

  get size(): number {
    return this.records.length;
  }

  add(delivery: Delivery<unknown>, record: KafkaOutgoing): void {
    this.deliveries.push(delivery);
    this.records.push(record);
    this.bytes += recordBytes(record);
  }

  nack(cause: unknown): void {
    for (const delivery of this.deliveries) delivery.nack(cause);
  }

  /** Refuses those of which it holds, and takes them out. */
  drop(isVoid: (delivery: Delivery<unknown>) => boolean, cause: unknown): void {
    const { deliveries, records } = this;
    let kept = 0;
    for (let place = 0; place < deliveries.length; place += 1) {
      const delivery = deliveries[place] as Delivery<unknown>;
      if (isVoid(delivery)) {
        delivery.nack(cause);
        continue;
      }
      deliveries[kept] = delivery;
      records[kept] = records[place] as KafkaOutgoing;
      kept += 1;
    }
    deliveries.length = kept;
    records.length = kept;
    this.bytes = records.reduce((sum, record) => sum + recordBytes(record), 0);
  }
}

/** What was written: kept as places, to be acked together, and counted by stream and topic. */
export class Written {
  readonly holding = new Holding();
  readonly #shares = new Map<string, Share>();
  #share: Share | undefined;
  values = 0;
  bytes = 0;

  /** Takes in what of a batch was written; refuses nothing. */
  add({ deliveries, records }: Batch, { refused }: KafkaSent): void {
    for (let place = 0; place < records.length; place += 1) {
      if (refused.size > 0 && refused.has(place)) continue;
      const delivery = deliveries[place] as Delivery<unknown>;
      this.holding.add(delivery);
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

/** Refuses what the broker refused, each with its own cause. To be called after the others are acked. */
export function nackRefused({ deliveries }: Batch, { refused }: KafkaSent): void {
  for (const [place, error] of refused) deliveries[place]?.nack(error);
}
