import { DecodeError } from '../../core/errors.js';
import { expectOption, expectWhole, withDefaults } from '../../core/options.js';
import { MiB } from '../../core/units.js';
import type { FileRecord, FileRecords, RecordReader } from './record-reader.js';

export interface CsvRecordsOptions {
  /** Whether the first record names the columns, and is none itself. Default true. */
  readonly hasHeader?: boolean;
  /** The most bytes of one record. Default 1 MiB. */
  readonly maxBytes?: number;
}

/** The defaults of `csvRecords`. */
export const CSV_RECORDS_DEFAULTS = {
  hasHeader: true,
  maxBytes: MiB,
} as const satisfies Required<CsvRecordsOptions>;

/**
 * The records of a file of CSV, in bytes as they are there: a quoted field may hold line ends. Read each by `decode(csvRow({ columns }))`,
 * so that one that is wrong becomes a dead letter.
 *
 * ```ts
 * import { flow, nullSink } from 'rxflume';
 * import { localDisk } from 'rxflume/drivers/local-disk';
 * import { csvRow } from 'rxflume/formats';
 * import { csvRecords, spoolSource } from 'rxflume/inputs';
 * import { decode } from 'rxflume/operators';
 *
 * const orders$ = spoolSource(localDisk(), { name: 'orders', folder: '/srv/orders', records: csvRecords() });
 * export default flow('orders', orders$, decode(csvRow({ columns: [{ name: 'id', type: 'integer' }] })), nullSink().write());
 * ```
 *
 * Bounds: one record, of at most `maxBytes`, and one chunk.
 * Fails: `RXF_DECODE_TOO_LARGE` at a longer record, also where a quote has no end.
 * Source: RFC 4180.
 */
export function csvRecords(options: CsvRecordsOptions = {}): FileRecords<Buffer> {
  const { hasHeader, maxBytes } = withDefaults('csvRecords options', CSV_RECORDS_DEFAULTS, options);
  expectOption('hasHeader', hasHeader, typeof hasHeader === 'boolean', 'true or false');
  expectWhole('maxBytes', maxBytes, 1, 2 ** 30);
  return { name: 'CSV', open: () => new CsvRecords(hasHeader, maxBytes) };
}

const [QUOTE, LF] = [0x22, 0x0a];
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

class CsvRecords implements RecordReader<Buffer> {
  readonly #maxBytes: number;
  /** The header is still to be passed over. */
  #isBeforeFirst: boolean;
  #parts: Buffer[] = [];
  #bytes = 0;
  /** A quote within a field is doubled, so whether a line end is within one is whether the quotes before it are odd. */
  #isQuoted = false;
  #count = 0;

  constructor(hasHeader: boolean, maxBytes: number) {
    this.#isBeforeFirst = hasHeader;
    this.#maxBytes = maxBytes;
  }

  *push(bytes: Buffer): Iterable<FileRecord<Buffer>> {
    let start = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte === QUOTE) this.#isQuoted = !this.#isQuoted;
      if (byte !== LF || this.#isQuoted) continue;
      yield* this.#record(bytes.subarray(start, at + 1));
      start = at + 1;
    }
    if (start < bytes.length) this.#keep(bytes.subarray(start));
  }

  *end(): Iterable<FileRecord<Buffer>> {
    if (this.#bytes > 0) yield* this.#record(Buffer.alloc(0));
  }

  *#record(last: Buffer): Iterable<FileRecord<Buffer>> {
    this.#keep(last);
    const joined = this.#parts.length === 1 ? last : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    const value = this.#count === 0 && joined.subarray(0, 3).equals(BOM) ? joined.subarray(3) : joined;
    this.#count += 1;
    // A line that is empty holds no record, as every reader of CSV has it.
    if (value.length === 0 || value[0] === LF || (value.length === 2 && value[0] === 0x0d && value[1] === LF)) return;
    if (this.#isBeforeFirst) this.#isBeforeFirst = false;
    else yield { value, byteLength: value.length };
  }

  #keep(part: Buffer): void {
    this.#parts.push(part);
    this.#bytes += part.length;
    if (this.#bytes <= this.#maxBytes) return;
    throw new DecodeError(
      'RXF_DECODE_TOO_LARGE',
      `Record ${this.#count + 1} of CSV has more than \`maxBytes\`, which is ${this.#maxBytes}: a quote before it may have no end. Correct the ` +
        'file, or raise `maxBytes` of csvRecords.',
      { details: { record: this.#count + 1, maxBytes: this.#maxBytes } },
    );
  }
}
