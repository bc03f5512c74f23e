import { brotliDecompressSync, crc32 } from 'node:zlib';
import type { CompressionCodec, PageHeader } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { inflateSnappy } from '../../inflate/snappy.js';
import { inflateZlib } from '../../inflate/zlib.js';
import { inflateZstd } from '../../inflate/zstd.js';
import { tooLarge } from './fault.js';

export interface Page {
  readonly header: PageHeader;
  /** Inflated, in memory of its own, so that nothing is read behind its end. */
  readonly bytes: Uint8Array;
}

/** How many bytes the pages of a row group may inflate to, and how many are left. */
export interface Room {
  readonly most: number;
  left: number;
}

/** Levels before the values of a page of version 2 are never compressed. */
function levelBytes({ data_page_header_v2: v2 }: PageHeader): number {
  return v2 === undefined ? 0 : v2.repetition_levels_byte_length + v2.definition_levels_byte_length;
}

/** The pages of a column of a row group. Each takes its inflated length from `room` before it takes memory. */
export function* pagesOf(chunk: Buffer, codec: CompressionCodec, room: Room): Generator<Page> {
  const reader = { view: new DataView(chunk.buffer, chunk.byteOffset, chunk.length), offset: 0 };
  while (reader.offset < chunk.length) {
    const header = parquetHeader(reader);
    const from = reader.offset;
    const { compressed_page_size: stored, uncompressed_page_size: inflated } = header;
    const levels = levelBytes(header);
    const isSane = stored >= 0 && inflated >= 0 && from + stored <= chunk.length && levels >= 0 && levels <= stored;
    if (!isSane || levels > inflated) throw new Error(`a page at byte ${from} of it does not fit in it`);
    room.left -= inflated;
    if (room.left < 0) throw tooLarge('A row group, inflated,', room.most - room.left, room.most);
    const bytes = chunk.subarray(from, from + stored);
    if (header.crc !== undefined && crc32(bytes) !== header.crc >>> 0)
      throw new Error('the checksum of a page is wrong');
    reader.offset = from + stored;
    yield { header, bytes: wholePage(bytes, levels, header, codec) };
  }
}

function wholePage(stored: Buffer, levels: number, header: PageHeader, codec: CompressionCodec): Uint8Array {
  const length = header.uncompressed_page_size;
  const page = new Uint8Array(length);
  page.set(stored.subarray(0, levels));
  const isCompressed = header.data_page_header_v2?.is_compressed !== false;
  const rest = stored.subarray(levels);
  const values = isCompressed ? inflate(codec, rest, length - levels) : rest;
  if (values.length !== length - levels) {
    throw new Error(`a page inflates to ${values.length} bytes, not to ${length - levels}`);
  }
  page.set(values, levels);
  return page;
}

function inflate(codec: CompressionCodec, from: Buffer, most: number): Uint8Array {
  // Pages without values may have no bytes at all.
  if (from.length === 0) return from;
  switch (codec) {
    case 'UNCOMPRESSED':
      return from;
    case 'SNAPPY':
      return inflateSnappy(from, most);
    case 'GZIP':
      return inflateZlib('gzip', from, most);
    case 'ZSTD':
      return inflateZstd(from, most);
    case 'BROTLI':
      return brotliDecompressSync(from, { maxOutputLength: Math.max(1, most) });
    default:
      throw new Error(`its codec is ${codec}; known are UNCOMPRESSED, SNAPPY, GZIP, ZSTD and BROTLI`);
  }
}
