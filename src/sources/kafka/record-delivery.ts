import type { Acker } from '../../delivery/acker.js';
import { Delivery } from '../../delivery/delivery.js';
import type { KafkaRecord } from '../../ports/kafka-consumer.js';

/** The delivery of one record. Its value is made from the fetched bytes when first asked for, and then kept. */
export class RecordDelivery extends Delivery<Buffer | null> {
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
