import { DecodeError } from '../../core/errors.js';
import { expectOneOf, expectWhole, withDefaults } from '../../core/options.js';
import { MiB } from '../../core/units.js';
import { type Line, LineSplitter } from '../../formats/lines.js';
import type { FileRecord, FileRecords, RecordReader } from './record-reader.js';

export interface LineRecordsOptions {
  /** The most bytes of one line, its end not counted. Default 1 MiB. */
  readonly maxBytes?: number;
  /**
   * Of a longer one: `fail` stops the file there, `cut` makes several records of it, `shorten` keeps its first `maxBytes`. Default
   * `fail`.
   */
  readonly tooLong?: 'fail' | 'cut' | 'shorten';
}

/** The defaults of `lineRecords`. */
export const LINE_RECORDS_DEFAULTS = {
  maxBytes: MiB,
  tooLong: 'fail',
} as const satisfies Required<LineRecordsOptions>;

/**
 * The lines of a file, one record each, in bytes without the line end (LF or CRLF). A last line without an end is one too.
 *
 * ```ts
 * import { localDisk } from 'rxflume/drivers/local-disk';
 * import { fileSource, lineRecords } from 'rxflume/inputs';
 *
 * export const lines$ = fileSource(localDisk(), {
 *   name: 'words',
 *   files: ['/srv/words.txt'],
 *   records: lineRecords({ maxBytes: 64 * 1024 }),
 * });
 * ```
 *
 * Bounds: one line, of at most `maxBytes`, and one chunk.
 * Fails: `RXF_DECODE_TOO_LARGE` at a longer line, where `tooLong` is `fail`.
 */
export function lineRecords(options: LineRecordsOptions = {}): FileRecords<Buffer> {
  const { maxBytes, tooLong } = withDefaults('lineRecords options', LINE_RECORDS_DEFAULTS, options);
  expectWhole('maxBytes', maxBytes, 1, 2 ** 30);
  expectOneOf('tooLong', tooLong, ['fail', 'cut', 'shorten']);
  const limits = { lineEnd: 'lf', maxBytes, tooLong: tooLong === 'fail' ? 'stop' : tooLong } as const;
  return { name: 'lines', open: () => new LineRecords(new LineSplitter(limits), maxBytes, tooLong === 'fail') };
}

class LineRecords implements RecordReader<Buffer> {
  readonly #splitter: LineSplitter;
  readonly #maxBytes: number;
  readonly #isStrict: boolean;
  #count = 0;

  constructor(splitter: LineSplitter, maxBytes: number, isStrict: boolean) {
    this.#splitter = splitter;
    this.#maxBytes = maxBytes;
    this.#isStrict = isStrict;
  }

  *push(bytes: Buffer): Iterable<FileRecord<Buffer>> {
    this.#splitter.push(bytes);
    for (let line = this.#splitter.next(); line !== undefined; line = this.#splitter.next()) yield this.#record(line);
  }

  *end(): Iterable<FileRecord<Buffer>> {
    const line = this.#splitter.end();
    if (line !== undefined) yield this.#record(line);
  }

  #record({ bytes, kind }: Line): FileRecord<Buffer> {
    if (kind === 'overlong' && this.#isStrict) {
      throw new DecodeError(
        'RXF_DECODE_TOO_LARGE',
        `Line ${this.#count + 1} has more than \`maxBytes\`, which is ${this.#maxBytes}. Raise it, or set \`tooLong\` of lineRecords.`,
        { details: { line: this.#count + 1, maxBytes: this.#maxBytes } },
      );
    }
    this.#count += 1;
    return { value: bytes, byteLength: bytes.length };
  }
}
