import type { KafkaBatch, KafkaRecord } from '../../ports/kafka-consumer.js';
import { abortedFilter } from './aborted.js';
import type { OwnedPartition } from './assignment.js';
import type { Fetched } from './link.js';
import { RecordView } from './record.js';

/**
 * What a fetch from `position` brought of one partition: records before the position, control records and those of
 * aborted transactions left out. Null where it brought nothing at all.
 */
export function toBatch(owned: OwnedPartition, position: number, fetched: Fetched): KafkaBatch | null {
  const { records: found, nextOffset } = fetched.messages;
  if (nextOffset <= position) return null;
  const isAborted = abortedFilter(fetched.abortedTransactions);
  const records: KafkaRecord[] = [];
  let byteLength = 0;
  for (const one of found) {
    const offset = Number(one.offset);
    if (offset < position) continue;
    if (isAborted?.(one, offset) || one.isControlRecord) continue;
    const record = new RecordView(owned, offset, one);
    byteLength += record.byteLength;
    records.push(record);
  }
  const { topic, partition, epoch } = owned;
  return { topic, partition, epoch, records, byteLength, nextOffset, highWatermark: Number(fetched.highWatermark) };
}
