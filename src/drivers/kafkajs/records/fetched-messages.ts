import { crc32 } from 'node:zlib';
import type { AnswerLease } from './answer-lease.js';
import type { ForeignRecord } from './record.js';

/** A batch of records as it was fetched, its records inflated and not looked at yet. */
export interface LeanBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** The nearest number to `exactFirstTimestamp`. */
  readonly firstTimestamp: number;
  readonly exactFirstTimestamp: bigint;
  /** The time the broker took it, for all its records; null where each has its producer's. */
  readonly appendedAt: number | null;
  readonly count: number;
  readonly isControl: boolean;
  /** Of a transaction, else null. */
  readonly producerId: string | null;
  readonly bytes: Buffer;
}

/** What a fetch brought of one partition, decoded. */
export interface FetchedMessages {
  readonly records: readonly ForeignRecord[];
  /** Instead of records, where they are decoded later. */
  readonly batches?: readonly LeanBatch[];
  /** The offset after the last batch, also where compaction has left nothing in it; −1 where no batch came. */
  readonly nextOffset: number;
  /** Of the answer that the batches are read in. */
  readonly lease?: AnswerLease | undefined;
  /** Why a batch could not be read. */
  readonly unreadable?: Error;
}

export interface ForeignDecoder {
  readInt32(): number;
  canReadBytes(length: number): boolean;
  readBytes(length: number): Buffer;
}

export interface ForeignBatch {
  readonly firstOffset: string;
  readonly lastOffsetDelta: number;
  readonly records: readonly ForeignRecord[];
}

export interface MessageDecoders {
  readonly Decoder: new (buffer: Buffer) => ForeignDecoder;
  readonly decodeBatch: (decoder: ForeignDecoder) => Promise<ForeignBatch>;
  /** For what was written before Kafka 0.11. */
  readonly decodeOldSet: (decoder: ForeignDecoder, size: number) => Promise<readonly ForeignRecord[]>;
}

/** Of a partition with nothing new. */
export const NOTHING: FetchedMessages = { records: [], nextOffset: -1 };

/** The one error for fetched bytes that cannot be what a broker keeps. `what` says where the contradiction is. */
export function corrupt(what: string): Error {
  return new Error(`a batch of records is corrupt: ${what}`);
}

const MAGIC_AT = 16;
const MAGIC_NOW = 2;
/** Up to the length of the key. */
const OLD_HEADER_BYTES = 18;
const APPEND_TIME = 8;
const BATCH_OVERHEAD_BYTES = 49;

/**
 * Decodes the record batches of one partition, in kafkajs's place: kafkajs's own loop fails the whole fetch where one
 * batch is unreadable, overflows the stack on a large one, and hangs forever at one that compaction emptied.
 */
export function messagesDecoder(decoders: MessageDecoders) {
  return async (decoder: ForeignDecoder): Promise<FetchedMessages> => {
    const size = decoder.readInt32();
    if (size <= 0 || !decoder.canReadBytes(size)) return NOTHING;
    const bytes = decoder.readBytes(size);
    try {
      if (bytes.length > MAGIC_AT && bytes.readInt8(MAGIC_AT) < MAGIC_NOW) return await decodeOld(bytes, decoders);
      return await decodeBatches(new decoders.Decoder(bytes), decoders.decodeBatch);
    } catch (error) {
      return { ...NOTHING, unreadable: error as Error };
    }
  };
}

/** What was written before Kafka 0.11 and is kept as it was. */
export async function decodeOld(bytes: Buffer, { Decoder, decodeOldSet }: MessageDecoders): Promise<FetchedMessages> {
  const records: ForeignRecord[] = [];
  for (const message of oldMessages(bytes)) {
    const inner = await decodeOldSet(new Decoder(message), message.length);
    for (const record of inner) records.push(inAppendTime(message, record));
  }
  if (records.length === 0) throw nothingWhole();
  return { records, nextOffset: Number(records.at(-1)?.offset) + 1 };
}

/** Each whole one. kafkajs looks neither at the CRC nor at the size of a message. Source: Kafka's LegacyRecord. */
function* oldMessages(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at + OLD_HEADER_BYTES <= bytes.length; ) {
    const end = at + 12 + bytes.readInt32BE(at + 8);
    if (end > bytes.length || bytes.readInt8(at + MAGIC_AT) >= MAGIC_NOW) return;
    if (end < at + OLD_HEADER_BYTES) throw corrupt('a message is shorter than its header');
    if (crc32(bytes.subarray(at + MAGIC_AT, end)) !== bytes.readUInt32BE(at + 12)) throw corrupt('a CRC is wrong');
    yield bytes.subarray(at, end);
    at = end;
  }
}

/**
 * The broker writes its time into the message around compressed ones and leaves those as they are; kafkajs reads theirs.
 *
 * Source: KIP-32; Kafka's AbstractLegacyRecordBatch, DeepRecordsIterator.
 */
function inAppendTime(message: Buffer, record: ForeignRecord): ForeignRecord {
  const attributes = message.readInt8(MAGIC_AT + 1);
  const isApart = message.readInt8(MAGIC_AT) === 1 && (attributes & APPEND_TIME) !== 0;
  return isApart ? { ...record, timestamp: String(message.readBigInt64BE(MAGIC_AT + 2)) } : record;
}

/** Since version 3 of a fetch, the first batch of a partition is never cut: asking again would bring the same. */
export function nothingWhole(): Error {
  return new Error('the broker sent no whole batch of records');
}

async function decodeBatches(
  decoder: ForeignDecoder,
  decodeBatch: MessageDecoders['decodeBatch'],
): Promise<FetchedMessages> {
  const records: ForeignRecord[] = [];
  let nextOffset = -1;
  while (decoder.canReadBytes(BATCH_OVERHEAD_BYTES)) {
    let batch: ForeignBatch;
    try {
      batch = await decodeBatch(decoder);
    } catch (error) {
      // The broker cuts the last batch where the fetch is full.
      if ((error as Error).name === 'KafkaJSPartialMessageError') break;
      if (nextOffset >= 0) break;
      throw error;
    }
    for (const record of batch.records) records.push(record);
    nextOffset = Number(batch.firstOffset) + batch.lastOffsetDelta + 1;
  }
  if (nextOffset < 0) throw nothingWhole();
  return { records, nextOffset };
}
