import type { LeanBatch } from './lean-batch.js';
import type { ForeignRecord } from './record.js';

/** What a fetch brought of one partition, decoded. */
export interface FetchedMessages {
  readonly records: readonly ForeignRecord[];
  /** In place of records, where they are decoded later. */
  readonly batches?: readonly LeanBatch[];
  /** The offset after the last batch, also where compaction has left nothing in it; −1 where no batch came. */
  readonly nextOffset: number;
  /** Why a batch could not be read. */
  readonly unreadable?: unknown;
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

const MAGIC_AT = 16;
const MAGIC_NOW = 2;
const BATCH_OVERHEAD_BYTES = 49;

/**
 * Decodes the record batches of one partition, in kafkajs's place: kafkajs's own loop fails the whole fetch where one
 * batch is unreadable, overflows the stack on a large one, and stands still for ever before one that compaction emptied.
 */
export function messagesDecoder(decoders: MessageDecoders) {
  return async (decoder: ForeignDecoder): Promise<FetchedMessages> => {
    const size = decoder.readInt32();
    if (size <= 0 || !decoder.canReadBytes(size)) return { records: [], nextOffset: -1 };
    const bytes = decoder.readBytes(size);
    try {
      if (bytes.length > MAGIC_AT && bytes.readInt8(MAGIC_AT) !== MAGIC_NOW) return await decodeOld(bytes, decoders);
      return await decodeBatches(new decoders.Decoder(bytes), decoders.decodeBatch);
    } catch (error) {
      return { records: [], nextOffset: -1, unreadable: error };
    }
  };
}

/** What was written before Kafka 0.11 and is kept as it was. */
export async function decodeOld(bytes: Buffer, { Decoder, decodeOldSet }: MessageDecoders): Promise<FetchedMessages> {
  const records = await decodeOldSet(new Decoder(bytes), bytes.length);
  return { records, nextOffset: records.length === 0 ? -1 : Number(records.at(-1)?.offset) + 1 };
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
  return { records, nextOffset };
}
