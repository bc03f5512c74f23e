import type { ColumnChunk, Encoding, RowGroup } from 'hyparquet';
import type { Bound, LeafPages, LeafPlace } from './leaf.js';
import type { PageCodec } from './page-codec.js';

/**
 * What the footer says of a row group, in the fewest bytes: an open file keeps it of each, and a sink has many open files.
 *
 * Bounds: some 150 bytes a column, and its least and greatest value, together at most 4 KiB.
 */
export interface RowGroupFacts {
  readonly rows: number;
  readonly bytes: number;
  readonly columns: readonly ColumnFacts[];
}

export interface ColumnFacts {
  readonly place: LeafPlace;
  readonly start: number;
  /** Where its values start; after `start` where there is a dictionary before them. */
  readonly dataStart: number;
  readonly plainBytes: number;
  readonly bytes: number;
  readonly entries: number;
  readonly nulls: number;
  readonly hasLevels: boolean;
  readonly bounds: KeptBounds | undefined;
}

/** The least and greatest value. Bytes are kept as text, a character each: a small array takes 200 bytes more than it holds. */
interface KeptBounds {
  readonly min: KeptBound;
  readonly max: KeptBound;
}

type KeptBound = Exclude<Bound, Uint8Array> | string;

export function keptBounds(bounds: LeafPages['bounds']): KeptBounds | undefined {
  return bounds && { min: keptBound(bounds.min), max: keptBound(bounds.max) };
}

function keptBound(bound: Bound): KeptBound {
  return bound instanceof Uint8Array
    ? Buffer.from(bound.buffer, bound.byteOffset, bound.length).toString('latin1')
    : bound;
}

function boundOf(kept: KeptBound): Bound {
  return typeof kept === 'string' ? Buffer.from(kept, 'latin1') : kept;
}

/** The footer's form, which is some ten times as large in memory. */
export function rowGroupOf({ rows, bytes, columns }: RowGroupFacts, codec: PageCodec['name']): RowGroup {
  return {
    columns: columns.map((column) => columnOf(column, codec)),
    num_rows: BigInt(rows),
    total_byte_size: BigInt(columns.reduce((sum, { plainBytes }) => sum + plainBytes, 0)),
    total_compressed_size: BigInt(bytes),
  };
}

/** How the values of a column are written. */
export function encodingOf(hasDictionary: boolean): Encoding {
  return hasDictionary ? 'RLE_DICTIONARY' : 'PLAIN';
}

function columnOf(column: ColumnFacts, codec: PageCodec['name']): ColumnChunk {
  const { place, start, dataStart, plainBytes, bytes, entries, nulls, hasLevels, bounds } = column;
  const hasDictionary = dataStart > start;
  const encodings: Encoding[] = hasDictionary ? ['PLAIN', 'RLE_DICTIONARY'] : ['PLAIN'];
  if (hasLevels) encodings.push('RLE');
  return {
    file_offset: BigInt(start),
    meta_data: {
      type: place.element.type as NonNullable<typeof place.element.type>,
      encodings,
      path_in_schema: [...place.path],
      codec,
      num_values: BigInt(entries),
      total_uncompressed_size: BigInt(plainBytes),
      total_compressed_size: BigInt(bytes),
      data_page_offset: BigInt(dataStart),
      ...(hasDictionary && { dictionary_page_offset: BigInt(start) }),
      statistics: {
        ...(bounds !== undefined && { min_value: boundOf(bounds.min), max_value: boundOf(bounds.max) }),
        null_count: BigInt(nulls),
      },
      encoding_stats: [
        ...(hasDictionary ? [{ page_type: 'DICTIONARY_PAGE', encoding: 'PLAIN', count: 1 } as const] : []),
        { page_type: 'DATA_PAGE_V2', encoding: encodingOf(hasDictionary), count: 1 },
      ],
    },
  };
}
