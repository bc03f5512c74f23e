import type { KafkaBatch, KafkaRecord } from '../../ports/kafka-consumer.js';
import { abortedFilter } from './aborted.js';
import type { OwnedPartition } from './assignment.js';
import { firstKey, walkRecords } from './lean-record.js';
import type { Fetched } from './link.js';
import { RecordView } from './record.js';

/**
 * What a fetch from `position` brought of one partition: records before the position, control records and those of
 * aborted transactions left out. Null where it brought nothing at all.
 */
export function toBatch(owned: OwnedPartition, position: number, fetched: Fetched): KafkaBatch | null {
  const { nextOffset } = fetched.messages;
  if (nextOffset <= position) return null;
  const records: KafkaRecord[] = [];
  const byteLength = (fetched.messages.batches === undefined ? viewRecords : walkBatches)(
    owned,
    position,
    fetched,
    records,
  );
  const { topic, partition, epoch } = owned;
  return { topic, partition, epoch, records, byteLength, nextOffset, highWatermark: Number(fetched.highWatermark) };
}

function viewRecords(owned: OwnedPartition, position: number, fetched: Fetched, records: KafkaRecord[]): number {
  const isAborted = abortedFilter(fetched.abortedTransactions);
  let byteLength = 0;
  for (const one of fetched.messages.records) {
    const offset = Number(one.offset);
    if (isAborted?.(one, offset) || one.isControlRecord || offset < position) continue;
    const record = new RecordView(owned, offset, one);
    byteLength += record.byteLength;
    records.push(record);
  }
  return byteLength;
}

function walkBatches(owned: OwnedPartition, position: number, fetched: Fetched, records: KafkaRecord[]): number {
  const isAborted = abortedFilter(fetched.abortedTransactions);
  let byteLength = 0;
  for (const batch of fetched.messages.batches ?? []) {
    const { producerId, isControl: isControlRecord, lastOffset } = batch;
    if (isAborted !== undefined && producerId !== null) {
      const key = isControlRecord ? firstKey(batch, owned) : null;
      if (isAborted({ key, isControlRecord, batchContext: { producerId, inTransaction: true } }, lastOffset)) continue;
    }
    if (isControlRecord || lastOffset < position) continue;
    byteLength += walkRecords(batch, owned, position, records);
  }
  return byteLength;
}
