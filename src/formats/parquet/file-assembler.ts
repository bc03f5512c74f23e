import type { PageHeader } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import type { PageCodec } from './page-codec.js';
import type { Page, PagedLeaf } from './pages.js';
import { type ColumnFacts, encodingOf, keptBounds, type RowGroupFacts, rowGroupOf } from './row-group-facts.js';
import type { SchemaTree } from './schema-tree.js';
import type { Work } from './slices.js';

const FEW_BYTES = 1_024;
/** Writing what the footer says of a column takes as long as compressing so many bytes. */
const BYTES_A_COLUMN = 1_024;

/**
 * Puts the row groups of one file one behind the other, and the footer behind them.
 *
 * Bounds: what the footer says of each row group (`RowGroupFacts`), until the file is closed.
 * Source: Apache Parquet format 2.11; parquet-java 1.15, `VersionParser`, which reads `createdBy` and trusts no statistics of a writer that it
 * cannot parse.
 */
export class FileAssembler {
  readonly #codec: PageCodec;
  readonly #writer = new ByteWriter();
  readonly #file: ParquetWriter;
  readonly #groups: RowGroupFacts[] = [];

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
    this.#groups.push({ rows, bytes: this.#writer.offset - start, columns });
    this.#file.num_rows += BigInt(rows);
    return this.#taken();
  }

  /** The bytes that end the file; asked for when its row groups are written. */
  *footer(facts: Readonly<Record<string, string>>): Work<Uint8Array> {
    // Many files may end at once: one in a turn, where they have many row groups.
    yield this.#groups.reduce((bytes, { columns }) => bytes + BYTES_A_COLUMN * columns.length, 0);
    this.#file.row_groups = this.#groups.map((group) => rowGroupOf(group, this.#codec.name));
    this.#file.kvMetadata = Object.entries(facts).map(([key, value]) => ({ key, value }));
    // A promise only for a writer that flushes, which this one does not.
    void this.#file.finish();
    // Many files end at once, and are held until their footers are stored.
    this.#file.row_groups = [];
    return this.#taken();
  }

  #column({ leaf, bounds, repetitions, definitions, dictionary, values }: PagedLeaf): ColumnFacts {
    const { place, entries, nulls, rows } = leaf;
    const start = this.#writer.offset;
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
    const levels = Buffer.concat([repetitions, definitions]);
    const data_page_header_v2 = {
      num_values: entries,
      num_nulls: nulls,
      num_rows: rows,
      encoding: encodingOf(dictionary !== undefined),
      repetition_levels_byte_length: repetitions.length,
      definition_levels_byte_length: definitions.length,
      is_compressed: values.isCompressed,
    } as const;
    plainBytes += this.#page({ type: 'DATA_PAGE_V2', data_page_header_v2 }, levels, values);
    const bytes = this.#writer.offset - start;
    return {
      place,
      start,
      dataStart,
      plainBytes,
      bytes,
      entries,
      nulls,
      hasLevels: levels.length > 0,
      bounds: keptBounds(bounds),
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
