import { defer, map, mergeMap, type Observable, of, throwError } from 'rxjs';
import { expectWhole, withDefaults } from '../../core/options.js';
import { MiB } from '../../core/units.js';
import { codecOfName } from '../../formats/inflate/file-codec.js';
import { parquetFault, tooLarge } from '../../formats/parquet/read/fault.js';
import {
  type Footer,
  footerLength,
  parseFooter,
  type RowGroup,
  TAIL_BYTES,
} from '../../formats/parquet/read/footer.js';
import { type ParquetValues, rowGroupColumns, spanOf } from '../../formats/parquet/read/row-group-rows.js';
import { Slices } from '../../formats/parquet/slices.js';
import type { FileRecord, RandomAccessFile, RandomAccessRecords, RecordBatch, RecordInput } from './record-reader.js';

export type { ParquetValues };

export interface ParquetRecordsOptions {
  /** The most bytes of a row group, as stored and as inflated, the most values in it, and the most bytes of a footer. Default 256 MiB. */
  readonly maxRowGroupBytes?: number;
}

/** The defaults of `parquetRecords`. */
export const PARQUET_RECORDS_DEFAULTS = {
  maxRowGroupBytes: 256 * MiB,
} as const satisfies Required<ParquetRecordsOptions>;

/**
 * The rows of Parquet files, one record each, of the codecs snappy, gzip, zstd and brotli. Values are those that `parquet` takes: a whole
 * number of 64 bits is a bigint where it is no safe integer, a date or a time in milliseconds a `Date`, a time in microseconds or nanoseconds
 * a whole number, a decimal a text. Lists are arrays, structs objects, and maps objects where their keys are texts.
 *
 * ```ts
 * import { localDisk } from 'rxflume/drivers/local-disk';
 * import { fileSource } from 'rxflume/inputs';
 * import { parquetRecords } from 'rxflume/inputs/parquet';
 *
 * export const orders$ = fileSource(localDisk(), { name: 'orders', files: ['/srv/orders/*.parquet'], records: parquetRecords() });
 * ```
 *
 * Bounds: one row group as stored, as inflated and as values, which take several times `maxRowGroupBytes` together. Other work has its turn after
 * some 256 KiB of pages; a page, and the lists, maps and structs of a column, are put together at once.
 * Fails: at what is no such file, is encrypted, cut off or damaged, with the row group and the column; `RXF_DECODE_TOO_LARGE` beyond
 * `maxRowGroupBytes`, before memory is taken. Damage is only certain to be found where pages have checksums, which writers may leave out.
 * Importing the entry fails with `ERR_MODULE_NOT_FOUND` where the package hyparquet is not installed.
 * Source: Apache Parquet format 2.11; hyparquet 1.31.5.
 */
export function parquetRecords(options: ParquetRecordsOptions = {}): RandomAccessRecords<ParquetValues> {
  const { maxRowGroupBytes } = withDefaults('parquetRecords options', PARQUET_RECORDS_DEFAULTS, options);
  expectWhole('maxRowGroupBytes', maxRowGroupBytes, 1, 2 ** 30);
  return { name: 'Parquet', openAt: (file, start) => new ParquetRows(file, start, maxRowGroupBytes) };
}

/** The rows of one file, a row group at a time. */
class ParquetRows implements RecordInput<ParquetValues> {
  readonly #file: RandomAccessFile;
  readonly #start: number;
  readonly #maxRowGroupBytes: number;
  readonly #slices = new Slices();
  #footer: Footer | undefined;
  #groups: RowGroup[] = [];

  constructor(file: RandomAccessFile, start: number, maxRowGroupBytes: number) {
    this.#file = file;
    this.#start = start;
    this.#maxRowGroupBytes = maxRowGroupBytes;
  }

  next(): Observable<RecordBatch<ParquetValues> | null> {
    return defer(() => {
      const footer = this.#footer;
      if (footer === undefined) return this.#open();
      const group = this.#groups.shift();
      return group === undefined ? of(null) : this.#read(footer, group);
    });
  }

  close(): void {
    this.#groups = [];
  }

  /** Reads the footer, and passes over the row groups before the first record. */
  #open(): Observable<RecordBatch<ParquetValues>> {
    const { bytes, path } = this.#file;
    const fault = (cause: unknown) => throwError(() => parquetFault('its footer', cause));
    if (codecOfName(path) !== undefined)
      return fault('the whole file is compressed, so no part of it can be read alone');
    if (bytes < TAIL_BYTES) return fault('it is too short');
    return this.#file.readAt(bytes - TAIL_BYTES, TAIL_BYTES).pipe(
      mergeMap((tail) => {
        const length = inFooter(() => footerLength(tail, bytes));
        if (length > this.#maxRowGroupBytes) throw tooLarge('The footer of the file', length, this.#maxRowGroupBytes);
        return this.#file.readAt(bytes - TAIL_BYTES - length, length + TAIL_BYTES);
      }),
      map((footer) => {
        const parsed = inFooter(() => parseFooter(footer, bytes));
        this.#footer = parsed;
        this.#groups = parsed.groups.filter(({ firstRow, rows }) => rows > 0 && firstRow + rows > this.#start);
        return { index: Math.min(this.#start, parsed.rows), records: [] };
      }),
    );
  }

  #read(footer: Footer, group: RowGroup): Observable<RecordBatch<ParquetValues>> {
    const span = spanOf(group, this.#maxRowGroupBytes);
    return this.#file.readAt(span.from, span.end - span.from).pipe(
      mergeMap((bytes) => this.#slices.run(rowGroupColumns(footer, group, span, bytes, this.#maxRowGroupBytes))),
      map((columns) => {
        const index = Math.max(this.#start, group.firstRow);
        const byteLength = Math.max(1, Math.ceil(span.bytes / group.rows));
        return { index, records: rowsOf(columns, index - group.firstRow, group.rows, byteLength) };
      }),
    );
  }
}

function inFooter<R>(read: () => R): R {
  try {
    return read();
  } catch (cause) {
    throw parquetFault('its footer', cause);
  }
}

function* rowsOf(
  columns: ReadonlyMap<string, readonly unknown[]>,
  first: number,
  end: number,
  byteLength: number,
): Generator<FileRecord<ParquetValues>> {
  for (let at = first; at < end; at += 1) {
    const value: Record<string, unknown> = {};
    for (const [name, values] of columns) value[name] = values[at];
    yield { value, byteLength };
  }
}
