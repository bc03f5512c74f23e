import type { ColumnChunk, Encoding, PageHeader } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import type { PageCodec } from './page-codec.js';
import type { Page, PagedLeaf } from './pages.js';
import type { SchemaTree } from './schema-tree.js';

const FEW_BYTES = 1_024;

/**
 * Puts the row groups of one file one behind the other, and the footer behind them.
 *
 * Bounds: what the footer says of each row group, some 200 bytes a column and at most 4 KiB of bounds, until the file is closed.
 * Source: Apache Parquet format 2.11; parquet-java 1.15, `VersionParser`, which reads `createdBy` and trusts no statistics of a writer that it
 * cannot parse.
 */
export class FileAssembler {
  readonly #codec: PageCodec;
  readonly #writer = new ByteWriter();
  readonly #file: ParquetWriter;

  constructor(codec: PageCodec, { elements }: SchemaTree, createdBy: string) {
    this.#codec = codec;
    this.#file = new ParquetWriter({ writer: this.#writer, schema: elements, createdBy });
  }

  /** The bytes of the next row group; those of the first begin the file. */
  rowGroup(rows: number, leaves: readonly PagedLeaf[]): Uint8Array {
    const start = this.#writer.offset;
    // Otherwise it grows by doubling, and holds twice the bytes until they are written.
    this.#writer.ensure(leaves.reduce((bytes, leaf) => bytes + FEW_BYTES + bytesOf(leaf), 0));
    const columns = leaves.map((leaf) => this.#column(leaf));
    const sum = (of: (column: ColumnChunk) => bigint | undefined) =>
      columns.reduce((bytes, column) => bytes + (of(column) ?? 0n), 0n);
    this.#file.row_groups.push({
      columns,
      num_rows: BigInt(rows),
      total_byte_size: sum(({ meta_data }) => meta_data?.total_uncompressed_size),
      total_compressed_size: BigInt(this.#writer.offset - start),
    });
    this.#file.num_rows += BigInt(rows);
    return this.#taken();
  }

  /** The bytes that end the file. */
  footer(facts: Readonly<Record<string, string>>): Uint8Array {
    this.#file.kvMetadata = Object.entries(facts).map(([key, value]) => ({ key, value }));
    // A promise only for a writer that flushes, which this one does not.
    void this.#file.finish();
    return this.#taken();
  }

  #column({ leaf, bounds, repetitions, definitions, dictionary, values }: PagedLeaf): ColumnChunk {
    const { element, path } = leaf.place;
    const start = this.#writer.offset;
    const encodings: Encoding[] = dictionary === undefined ? ['PLAIN'] : ['PLAIN', 'RLE_DICTIONARY'];
    if (repetitions.length + definitions.length > 0) encodings.push('RLE');
    let plainBytes = 0;
    if (dictionary !== undefined) {
      const { words, page } = dictionary;
      const header = {
        type: 'DICTIONARY_PAGE',
        dictionary_page_header: { num_values: words, encoding: 'PLAIN' },
      } as const;
      plainBytes += this.#page(header, new Uint8Array(), page);
    }
    const dataStart = this.#writer.offset;
    const encoding = dictionary === undefined ? 'PLAIN' : 'RLE_DICTIONARY';
    const levels = Buffer.concat([repetitions, definitions]);
    const data_page_header_v2 = {
      num_values: leaf.entries,
      num_nulls: leaf.nulls,
      num_rows: leaf.rows,
      encoding,
      repetition_levels_byte_length: repetitions.length,
      definition_levels_byte_length: definitions.length,
      is_compressed: values.isCompressed,
    } as const;
    plainBytes += this.#page({ type: 'DATA_PAGE_V2', data_page_header_v2 }, levels, values);
    return {
      file_offset: BigInt(start),
      meta_data: {
        type: element.type as NonNullable<typeof element.type>,
        encodings,
        path_in_schema: [...path],
        codec: this.#codec.name,
        num_values: BigInt(leaf.entries),
        total_uncompressed_size: BigInt(plainBytes),
        total_compressed_size: BigInt(this.#writer.offset - start),
        data_page_offset: BigInt(dataStart),
        ...(dictionary !== undefined && { dictionary_page_offset: BigInt(start) }),
        statistics: {
          ...(bounds !== undefined && { min_value: bounds.min, max_value: bounds.max }),
          null_count: BigInt(leaf.nulls),
        },
        encoding_stats: [
          ...(dictionary === undefined ? [] : [{ page_type: 'DICTIONARY_PAGE', encoding: 'PLAIN', count: 1 } as const]),
          { page_type: 'DATA_PAGE_V2', encoding, count: 1 },
        ],
      },
    };
  }

  /** Writes a page, and returns how many bytes it has uncompressed, its header included. */
  #page(header: Partial<PageHeader> & Pick<PageHeader, 'type'>, levels: Uint8Array, page: Page): number {
    const start = this.#writer.offset;
    writePageHeader(this.#writer, {
      ...header,
      uncompressed_page_size: levels.length + page.plainBytes,
      compressed_page_size: levels.length + page.bytes.length,
    });
    const headerBytes = this.#writer.offset - start;
    this.#writer.appendBytes(levels);
    this.#writer.appendBytes(page.bytes);
    return headerBytes + levels.length + page.plainBytes;
  }

  /** What was written since. The writer gets other memory: what it had would be held for as long as the file is open. */
  #taken(): Uint8Array {
    const writer = this.#writer;
    const bytes = writer.getBytes();
    writer.buffer = new ArrayBuffer(FEW_BYTES);
    writer.view = new DataView(writer.buffer);
    writer.index = 0;
    return bytes;
  }
}

function bytesOf({ repetitions, definitions, dictionary, values }: PagedLeaf): number {
  return repetitions.length + definitions.length + (dictionary?.page.bytes.length ?? 0) + values.bytes.length;
}
