import type { Codec } from './codecs.js';
import type { FetchedMessages, ForeignDecoder, MessageDecoders } from './fetched-messages.js';
import { decodeOld } from './fetched-messages.js';

/** A batch of records as it was fetched, its records inflated and not looked at yet. */
export interface LeanBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly firstTimestamp: number;
  /** The time the broker took it, for all its records; null where each has its producer's. */
  readonly appendedAt: number | null;
  readonly count: number;
  readonly isControl: boolean;
  /** Of a transaction, else null. */
  readonly producerId: string | null;
  readonly bytes: Buffer;
}

const HEADER_BYTES = 61;
const MAGIC = 2;
const CODEC_MASK = 0x07;
const APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

/**
 * Reads the headers of one partition's batches and inflates what is compressed; the records are walked later, in one
 * pass, when it is known whose they are.
 *
 * Source: Kafka's DefaultRecordBatch. Like kafkajs it does not verify the CRC.
 */
export function leanDecoder(codecs: Record<number, () => Codec>, decoders: MessageDecoders) {
  return async (decoder: ForeignDecoder): Promise<FetchedMessages> => {
    const size = decoder.readInt32();
    if (size <= 0 || !decoder.canReadBytes(size)) return { records: [], nextOffset: -1 };
    const bytes = decoder.readBytes(size);
    const batches: LeanBatch[] = [];
    try {
      if (bytes.length > 16 && bytes.readInt8(16) !== MAGIC) return await decodeOld(bytes, decoders);
      for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
        const end = at + 12 + bytes.readInt32BE(at + 8);
        // The broker cuts the last batch where the fetch is full; another format is left for the next fetch.
        if (end > bytes.length || bytes.readInt8(at + 16) !== MAGIC) break;
        batches.push(await readBatch(bytes.subarray(at, end), codecs));
        at = end;
      }
    } catch (error) {
      if (batches.length === 0) return { records: [], nextOffset: -1, unreadable: error };
    }
    return { records: [], batches, nextOffset: (batches.at(-1)?.lastOffset ?? -2) + 1 };
  };
}

async function readBatch(batch: Buffer, codecs: Record<number, () => Codec>): Promise<LeanBatch> {
  if (batch.length < HEADER_BYTES) throw new Error('a batch of records is shorter than its header');
  const attributes = batch.readInt16BE(21);
  const firstOffset = Number(batch.readBigInt64BE(0));
  const body = batch.subarray(HEADER_BYTES);
  const codec = attributes & CODEC_MASK;
  const inflate = codecs[codec];
  if (codec !== 0 && inflate === undefined) throw new Error(`a batch names the unknown codec ${codec}`);
  return {
    firstOffset,
    lastOffset: firstOffset + batch.readInt32BE(23),
    firstTimestamp: Number(batch.readBigInt64BE(27)),
    appendedAt: (attributes & APPEND_TIME) === 0 ? null : Number(batch.readBigInt64BE(35)),
    count: batch.readInt32BE(57),
    isControl: (attributes & CONTROL) !== 0,
    producerId: (attributes & TRANSACTIONAL) === 0 ? null : String(batch.readBigInt64BE(43)),
    bytes: codec === 0 || inflate === undefined || body.length === 0 ? body : await inflate().decompress(body),
  };
}
