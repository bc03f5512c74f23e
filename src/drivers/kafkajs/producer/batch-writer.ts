import type { KafkaOutgoing } from '../../../ports/kafka-producer.js';
import type { Codec } from '../codecs/codecs.js';
import { crc32c } from '../records/crc32c.js';
import { writeRecords } from './record-writer.js';

const BATCH_HEADER_BYTES = 61;
const MAGIC = 2;
const TRANSACTIONAL = 0x10;
/** What the CRC is over begins here. */
const ATTRIBUTES_AT = 21;
/** The length of a batch does not count the first offset and itself. */
const LENGTH_FROM = 12;

/** The producer that a batch is from, and its position in that producer's sequence. */
export interface BatchOf {
  readonly producerId: bigint;
  readonly epoch: number;
  readonly firstSequence: number;
  readonly isTransactional: boolean;
}

/** How it is compressed: the number that the batch names the codec with, 0 without. */
export interface Packing {
  readonly number: number;
  readonly codec: Codec | undefined;
}

/**
 * One batch of records as the broker stores it. At least one record.
 *
 * Source: Kafka's DefaultRecordBatch.
 */
export async function writeBatch(
  records: readonly KafkaOutgoing[],
  of: BatchOf,
  { number, codec }: Packing,
  now: number,
): Promise<Buffer> {
  const { bytes, firstTimestamp, maxTimestamp } = writeRecords(records, now, BATCH_HEADER_BYTES);
  const body = bytes.subarray(BATCH_HEADER_BYTES);
  const packed = codec === undefined ? body : await codec.compress({ buffer: body });
  const batch = codec === undefined ? bytes : Buffer.concat([bytes.subarray(0, BATCH_HEADER_BYTES), packed]);
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(batch.length - LENGTH_FROM, 8);
  batch.writeInt32BE(-1, 12);
  batch.writeInt8(MAGIC, 16);
  batch.writeInt16BE(number | (of.isTransactional ? TRANSACTIONAL : 0), ATTRIBUTES_AT);
  batch.writeInt32BE(records.length - 1, 23);
  batch.writeBigInt64BE(BigInt(firstTimestamp), 27);
  batch.writeBigInt64BE(BigInt(maxTimestamp), 35);
  batch.writeBigInt64BE(of.producerId, 43);
  batch.writeInt16BE(of.epoch, 51);
  batch.writeInt32BE(of.firstSequence, 53);
  batch.writeInt32BE(records.length, 57);
  batch.writeUInt32BE(crc32c(batch.subarray(ATTRIBUTES_AT)), 17);
  return batch;
}
