import type { KafkaBatch, KafkaRecord, KafkaRecords } from '../../../ports/kafka-consumer.js';
import type { OwnedPartition } from '../consumer/assignment.js';
import type { Fetched } from '../vendor/link.js';
import { abortedFilter, type IsAborted } from './aborted.js';
import { corrupt, type LeanBatch } from './fetched-messages.js';
import { firstKey, LeanRecords } from './lean-records.js';
import { RecordView } from './record.js';

/**
 * What a fetch from `position` brought of one partition: records before the position, control records and those of
 * aborted transactions left out. Null where it brought nothing at all.
 */
export function toBatch(owned: OwnedPartition, position: number, fetched: Fetched): KafkaBatch | null {
  const { messages } = fetched;
  if (messages.unreadable !== undefined) throw messages.unreadable;
  if (messages.nextOffset < 0) return null;
  const read = messages.batches === undefined ? viewRecords : walkBatches;
  const { records, byteLength, nextOffset } = read(owned, position, fetched);
  // Asking again would bring the same, forever.
  if (nextOffset <= position) throw corrupt(`it ends before ${nextOffset}`);
  const { topic, partition, epoch } = owned;
  return { topic, partition, epoch, records, byteLength, nextOffset, highWatermark: Number(fetched.highWatermark) };
}

interface Walked {
  readonly records: KafkaRecords;
  readonly byteLength: number;
  readonly nextOffset: number;
}

function viewRecords(owned: OwnedPartition, position: number, fetched: Fetched): Walked {
  const records: KafkaRecord[] = [];
  const isAborted = abortedFilter(fetched.abortedTransactions);
  let byteLength = 0;
  let before = -1;
  for (const one of fetched.messages.records) {
    const offset = Number(one.offset);
    if (offset <= before) throw corrupt(`the offset ${offset} comes after ${before}`);
    before = offset;
    if (isAborted?.(one, offset) || one.isControlRecord || offset < position) continue;
    const record = new RecordView(owned, offset, one);
    byteLength += record.byteLength;
    records.push(record);
  }
  return { records, byteLength, nextOffset: fetched.messages.nextOffset };
}

function walkBatches(owned: OwnedPartition, position: number, fetched: Fetched): Walked {
  const isAborted = abortedFilter(fetched.abortedTransactions);
  const { batches = [], lease } = fetched.messages;
  const records = new LeanRecords(owned, batches, lease);
  let byteLength = 0;
  let nextOffset = -1;
  for (const batch of batches) {
    try {
      byteLength += isLeftOut(batch, owned, position, isAborted) ? 0 : records.add(batch, position);
    } catch (error) {
      // What came before it is good, and it fails as the first of the next fetch.
      if (nextOffset <= position) throw error;
      break;
    }
    nextOffset = batch.lastOffset + 1;
  }
  records.complete();
  return { records, byteLength, nextOffset };
}

/** Whether nothing of a batch is for the application, or new. */
function isLeftOut(
  batch: LeanBatch,
  owned: OwnedPartition,
  position: number,
  isAborted: IsAborted | undefined,
): boolean {
  const { producerId, isControl: isControlRecord, lastOffset } = batch;
  if (isAborted !== undefined && producerId !== null) {
    const key = isControlRecord ? firstKey(batch, owned) : null;
    if (isAborted({ key, isControlRecord, batchContext: { producerId, inTransaction: true } }, lastOffset)) return true;
  }
  return isControlRecord || lastOffset < position;
}
