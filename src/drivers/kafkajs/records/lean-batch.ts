import type { Codec } from '../codecs/codecs.js';
import { leaseOf } from './answer-lease.js';
import { crc32c } from './crc32c.js';
import type { FetchedMessages, ForeignDecoder, LeanBatch, MessageDecoders } from './fetched-messages.js';
import { corrupt, decodeOld, NOTHING, nothingWhole } from './fetched-messages.js';

export interface LeanOptions {
  /** By the number that a batch names them with. */
  readonly codecs: Record<number, () => Codec>;
  readonly checkCrc: boolean;
}

const HEADER_BYTES = 61;
const MAGIC_AT = 16;
const MAGIC = 2;
/** What the CRC is over begins here. */
const ATTRIBUTES_AT = 21;
const CODEC_MASK = 0x07;
const APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

/**
 * Reads the headers of one partition's batches and inflates what is compressed; the records are walked later, in one
 * pass, when it is known whose they are.
 *
 * Bounds: what was fetched, and `maxBatchBytes` for each compressed batch. No count or length in the bytes is trusted.
 * Fails: as `unreadable`, where the first batch is corrupt; a later one is left for the next fetch, where it is first.
 * Source: Kafka's DefaultRecordBatch.
 */
export function leanDecoder(options: LeanOptions, decoders: MessageDecoders) {
  return async (decoder: ForeignDecoder): Promise<FetchedMessages> => {
    const size = decoder.readInt32();
    if (size <= 0 || !decoder.canReadBytes(size)) return NOTHING;
    const bytes = decoder.readBytes(size);
    const lease = leaseOf(bytes);
    const batches: LeanBatch[] = [];
    let lastOffset = -1;
    try {
      if (bytes.length > MAGIC_AT && bytes.readInt8(MAGIC_AT) < MAGIC) {
        lease?.keep();
        return await decodeOld(bytes, decoders);
      }
      for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
        const end = at + 12 + bytes.readInt32BE(at + 8);
        // The broker cuts the last batch where the fetch is full.
        if (end > bytes.length) break;
        const batch = await readBatch(bytes.subarray(at, end), options);
        if (batch.firstOffset <= lastOffset) throw corrupt('it begins before the one before it ends');
        batches.push(batch);
        lastOffset = batch.lastOffset;
        at = end;
      }
      if (batches.length === 0) throw nothingWhole();
    } catch (error) {
      if (batches.length === 0) return { ...NOTHING, unreadable: error as Error };
    }
    return { records: [], batches, nextOffset: lastOffset + 1, lease };
  };
}

async function readBatch(batch: Buffer, { codecs, checkCrc }: LeanOptions): Promise<LeanBatch> {
  if (batch.length < HEADER_BYTES) throw corrupt('it is shorter than its header');
  const magic = batch.readInt8(MAGIC_AT);
  if (magic !== MAGIC) throw corrupt(`its format is ${magic}`);
  if (checkCrc && crc32c(batch.subarray(ATTRIBUTES_AT)) !== batch.readUInt32BE(17)) throw corrupt('its CRC is wrong');
  const attributes = batch.readInt16BE(ATTRIBUTES_AT);
  const firstOffset = Number(batch.readBigInt64BE(0));
  const lastOffset = firstOffset + batch.readInt32BE(23);
  const count = batch.readInt32BE(57);
  if (firstOffset < 0 || lastOffset < firstOffset || !Number.isSafeInteger(lastOffset)) {
    throw corrupt(`its offsets are ${firstOffset} to ${lastOffset}`);
  }
  if (count < 0) throw corrupt(`its count is ${count}`);
  const exactFirstTimestamp = batch.readBigInt64BE(27);
  const body = batch.subarray(HEADER_BYTES);
  const codec = attributes & CODEC_MASK;
  const inflate = codecs[codec];
  if (codec !== 0 && inflate === undefined) throw corrupt(`its codec is ${codec}`);
  return {
    firstOffset,
    lastOffset,
    firstTimestamp: Number(exactFirstTimestamp),
    exactFirstTimestamp,
    appendedAt: (attributes & APPEND_TIME) === 0 ? null : Number(batch.readBigInt64BE(35)),
    count,
    isControl: (attributes & CONTROL) !== 0,
    producerId: (attributes & TRANSACTIONAL) === 0 ? null : String(batch.readBigInt64BE(43)),
    bytes: codec === 0 || inflate === undefined || body.length === 0 ? body : await inflate().decompress(body),
  };
}
