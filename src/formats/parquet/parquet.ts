import { defer, from, map, mergeMap, type ObservableInput, of } from 'rxjs';
import { expectMs, expectOneOf, expectWhole, groupWithDefaults, withDefaults } from '../../core/options.js';
import { MiB } from '../../core/units.js';
import { compressionOf } from '../compression.js';
import type { Encoder, FileFacts, Format } from '../format.js';
import { expectSchema, type ParquetRow, type ParquetSchema } from './column.js';
import { columnTypes } from './column-types.js';
import { FileAssembler } from './file-assembler.js';
import { type PageCodec, type ParquetCompression, pageCodecOf } from './page-codec.js';
import { isThere, pagesOf } from './pages.js';
import { RowGroup } from './row-group.js';
import { type SchemaTree, schemaTree } from './schema-tree.js';
import type { UnknownFields } from './shredder.js';
import { Slices } from './slices.js';

/** When the rows of an open file are written together; whichever comes first, and at the latest when the file rolls. */
export interface RowGroupOptions {
  /** When there are so many. Default 20,000. */
  readonly count?: number;
  /** When they have so many bytes, before they are compressed. Default 8 MiB. */
  readonly bytes?: number;
  /** The longest that the first of them waits, in milliseconds. Default 60,000. */
  readonly maxWaitMs?: number;
}

export interface ParquetOptions<S extends ParquetSchema> {
  /** The columns, by name, made by `column`. */
  readonly schema: S;
  /** Of the pages. Default `snappy`. `zstd` needs Node 22.15 or later. */
  readonly compression?: ParquetCompression;
  readonly rowGroup?: RowGroupOptions;
  /**
   * The most bytes of rows that the open files of a sink hold together, before they are compressed: beyond it the largest row
   * group is written. Default 64 MiB.
   */
  readonly maxBufferedBytes?: number;
  /** What becomes of a value with fields that the schema has no column for. Default `drop`: they are left out. */
  readonly unknownFields?: UnknownFields;
}

/** The defaults of `parquet`. */
export const PARQUET_DEFAULTS = {
  compression: 'snappy',
  rowGroup: { count: 20_000, bytes: 8 * MiB, maxWaitMs: 60_000 },
  maxBufferedBytes: 64 * MiB,
  unknownFields: 'drop',
} as const;

/** In the form that parquet-java parses: it trusts no statistics of text where it cannot. */
const CREATED_BY = 'rxflume version 0.1.0 (build hyparquet-writer 0.17.0)';

const MAX_ROWS = 1_000_000;

/**
 * Parquet files of a schema. The type of the values is the schema's, and each value is checked, too: one that does not fit is nacked
 * alone with its path (`RXF_SINK_FORMAT`), never rounded or cut. Files have a row group for every 20,000 rows or 8 MiB,
 * statistics of each column, and in their metadata the stream and the offsets that they hold.
 *
 * ```ts
 * import { fileSink } from 'rxflume';
 * import { localDisk } from 'rxflume/drivers/local-disk';
 * import { column, parquet } from 'rxflume/formats/parquet';
 *
 * export const lake = fileSink(localDisk(), {
 *   root: '/lake/chat',
 *   path: 'dt={yyyy}-{MM}-{dd}',
 *   format: parquet({
 *     schema: { id: column.int64(), at: column.timestampMs(), lang: column.enumOf(['en', 'zh']), text: column.string().nullable() },
 *     compression: 'snappy',
 *   }),
 * });
 * ```
 *
 * Bounds: a row group is encoded 256 KiB a turn of the event loop, some 1 ms. `maxBufferedBytes` in all open files of a sink together, half as much again while arrays grow, and what is being
 * written. A row is released when its row group is stored.
 * Fails: `OptionError`. Importing the entry fails with `ERR_MODULE_NOT_FOUND` where the package hyparquet-writer is not installed.
 * Source: Apache Parquet format 2.11; hyparquet-writer 0.17.0.
 */
export function parquet<const S extends ParquetSchema>(options: ParquetOptions<S>): Format<ParquetRow<S>> {
  const checked = withDefaults('parquet options', PARQUET_DEFAULTS, options, ['schema']);
  const { schema, compression, maxBufferedBytes, unknownFields } = checked;
  const { count, bytes, maxWaitMs } = groupWithDefaults('rowGroup', PARQUET_DEFAULTS.rowGroup, checked.rowGroup);
  expectSchema('schema', schema);
  expectWhole('rowGroup.count', count, 1, MAX_ROWS);
  expectWhole('rowGroup.bytes', bytes, 1, 256 * MiB);
  expectMs('rowGroup.maxWaitMs', maxWaitMs, 1);
  expectWhole('maxBufferedBytes', maxBufferedBytes, 1);
  expectOneOf('unknownFields', unknownFields, ['drop', 'nack']);
  const codec = pageCodecOf(compression);
  const tree = schemaTree(schema);
  const slices = new Slices();
  return {
    extension: 'parquet',
    // The pages are compressed, not the file: a reader must find them.
    compression: compressionOf('none'),
    columns: columnTypes(schema),
    chunk: { count, bytes, maxWaitMs, totalBytes: maxBufferedBytes },
    encoder: () => new ParquetEncoder(codec, tree, unknownFields, slices),
  };
}

class ParquetEncoder<T> implements Encoder<T> {
  readonly #codec: PageCodec;
  readonly #tree: SchemaTree;
  readonly #unknownFields: UnknownFields;
  readonly #slices: Slices;
  readonly #file: FileAssembler;
  #group: RowGroup;

  constructor(codec: PageCodec, tree: SchemaTree, unknownFields: UnknownFields, slices: Slices) {
    this.#codec = codec;
    this.#tree = tree;
    this.#unknownFields = unknownFields;
    this.#slices = slices;
    this.#file = new FileAssembler(codec, tree, CREATED_BY);
    this.#group = new RowGroup(tree.root, unknownFields);
  }

  add(value: T): number {
    this.#group.add(value);
    return this.#group.bytes;
  }

  take(): never {
    throw new Error('Parquet: call takeLater');
  }

  takeLater(): ObservableInput<Uint8Array> {
    const { rows, leaves } = this.#group;
    this.#group = new RowGroup(this.#tree.root, this.#unknownFields, rows);
    return this.#slices.run(pagesOf(leaves, this.#codec)).pipe(
      mergeMap((paged) => (isThere(paged) ? of(paged) : from(paged))),
      // Where it starts is known only when the groups before it are written.
      map((paged) => this.#file.rowGroup(rows, paged)),
    );
  }

  finish({ stream, values, firstOffset, lastOffset }: FileFacts): ObservableInput<Uint8Array> {
    const facts = {
      'rxflume.stream': stream,
      'rxflume.first_offset': String(firstOffset),
      'rxflume.last_offset': String(lastOffset),
      'rxflume.values': String(values),
    };
    return defer(() => this.#slices.run(this.#file.footer(facts)));
  }
}
