import { DecodeError } from '../../core/errors.js';
import { expectWhole, withDefaults } from '../../core/options.js';
import { MiB } from '../../core/units.js';
import type { FileRecord, FileRecords, RecordReader } from './record-reader.js';

export interface WholeFileOptions {
  /** The most bytes of one file, after decompression. Default 16 MiB. */
  readonly maxBytes?: number;
}

/** The defaults of `wholeFile`. */
export const WHOLE_FILE_DEFAULTS = { maxBytes: 16 * MiB } as const satisfies Required<WholeFileOptions>;

/**
 * A whole file as one record: an image, a document, a file in a format of yours. An empty file is one too.
 *
 * ```ts
 * import { localDisk } from 'rxflume/drivers/local-disk';
 * import { spoolSource, wholeFile } from 'rxflume/inputs';
 *
 * export const scans$ = spoolSource(localDisk(), { name: 'scans', folder: '/srv/scans', records: wholeFile() });
 * ```
 *
 * Bounds: `maxBytes`.
 * Fails: `RXF_DECODE_TOO_LARGE` at a larger file.
 */
export function wholeFile(options: WholeFileOptions = {}): FileRecords<Buffer> {
  const { maxBytes } = withDefaults('wholeFile options', WHOLE_FILE_DEFAULTS, options);
  expectWhole('maxBytes', maxBytes, 1, 2 ** 30);
  return { name: 'whole file', open: () => new WholeFile(maxBytes) };
}

class WholeFile implements RecordReader<Buffer> {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(bytes: Buffer): Iterable<FileRecord<Buffer>> {
    this.#bytes += bytes.length;
    if (this.#bytes > this.#maxBytes) {
      throw new DecodeError(
        'RXF_DECODE_TOO_LARGE',
        `The file has more than \`maxBytes\`, which is ${this.#maxBytes}. Raise \`maxBytes\` of wholeFile, or read its records.`,
        { details: { maxBytes: this.#maxBytes } },
      );
    }
    this.#chunks.push(bytes);
    return [];
  }

  end(): Iterable<FileRecord<Buffer>> {
    const value = Buffer.concat(this.#chunks);
    this.#chunks = [];
    return [{ value, byteLength: value.length }];
  }
}
