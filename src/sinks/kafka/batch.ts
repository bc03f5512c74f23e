import { AckGroup } from '../../delivery/ack-group.js';
import type { Delivery } from '../../delivery/delivery.js';
import { DeliveryBatch } from '../../delivery/delivery-batch.js';
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
export class Batch extends DeliveryBatch<KafkaOutgoing> {
  override add(delivery: Delivery<unknown>, record: KafkaOutgoing, bytes = recordBytes(record)): void {
    super.add(delivery, record, bytes);
  }
}

/** What was written: kept as sequence numbers, to be acked together, and counted by stream and topic. */
export class Written {
  readonly ackGroup = new AckGroup();
  readonly #shares = new Map<string, Share>();
  #share: Share | undefined;
  values = 0;
  bytes = 0;

  /** Adds what of a batch was written; nacks nothing. */
  add({ deliveries, values }: DeliveryBatch<KafkaOutgoing>, { written }: KafkaSent): void {
    for (const index of written) {
      const delivery = deliveries[index] as Delivery<unknown>;
      this.ackGroup.add(delivery);
      this.#count(delivery, values[index] as KafkaOutgoing);
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
