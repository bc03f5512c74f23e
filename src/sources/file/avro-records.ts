import { DecodeError, describeError } from '../../core/errors.js';
import { expectWhole, withDefaults } from '../../core/options.js';
import { MiB } from '../../core/units.js';
import { AvroContainerReader } from '../../formats/avro-container-reader.js';
import type { AvroDecoded } from '../../formats/avro-decoded.js';
import { parseAvro } from '../../formats/avro-parse.js';
import { avroItemsReader } from '../../formats/avro-read.js';
import type { AvroSchema } from '../../formats/avro-schema.js';
import type { FileRecord, FileRecords, RecordReader } from './record-reader.js';

export interface AvroRecordsOptions<R extends AvroSchema = AvroSchema> {
  /** What the values are read as, by Avro's rules of schema resolution. Default: the schema of each file. */
  readonly readerSchema?: R;
  /** The most bytes of a block, as stored and as inflated. Default 64 MiB. */
  readonly maxBytes?: number;
}

/** The defaults of `avroRecords`. */
export const AVRO_RECORDS_DEFAULTS = { maxBytes: 64 * MiB } as const satisfies Partial<AvroRecordsOptions>;

/**
 * The values of Avro object container files, one record each, of the codecs null, deflate, snappy and zstandard. A literal
 * `readerSchema` gives their type.
 *
 * ```ts
 * import { localDisk } from 'rxflume/drivers/local-disk';
 * import { avroRecords, fileSource } from 'rxflume/inputs';
 *
 * export const messages$ = fileSource(localDisk(), {
 *   name: 'messages',
 *   files: ['/srv/messages/*.avro'],
 *   records: avroRecords({
 *     readerSchema: { type: 'record', name: 'Message', fields: [{ name: 'id', type: 'long' }] },
 *   }),
 * });
 * ```
 *
 * Bounds: a block of `maxBytes`, as stored and as inflated, one chunk, and what `avro` of `rxflume/formats` bounds of each value.
 * Fails: at what is no such file, is cut off or damaged, with the byte or the record; at a schema that `readerSchema` cannot read.
 * Source: Avro 1.12 specification, "Object Container Files", "Schema Resolution".
 */
export function avroRecords<const R extends AvroSchema>(
  options: AvroRecordsOptions<R> = {},
): FileRecords<AvroDecoded<R>> {
  const others = ['readerSchema'];
  const { maxBytes, readerSchema } = withDefaults('avroRecords options', AVRO_RECORDS_DEFAULTS, options, others);
  expectWhole('maxBytes', maxBytes, 1, 2 ** 30);
  if (readerSchema !== undefined) parseAvro(readerSchema, 'own', 'readerSchema');
  return { name: 'Avro', open: () => new AvroRecords<AvroDecoded<R>>(maxBytes, readerSchema) };
}

class AvroRecords<T> implements RecordReader<T> {
  readonly #container: AvroContainerReader;
  readonly #readerSchema: AvroSchema | undefined;
  #items: ReturnType<typeof avroItemsReader> | undefined;
  #count = 0;

  constructor(maxBytes: number, readerSchema: AvroSchema | undefined) {
    this.#container = new AvroContainerReader(maxBytes);
    this.#readerSchema = readerSchema;
  }

  *push(bytes: Buffer): Iterable<FileRecord<T>> {
    this.#container.push(bytes);
    for (let block = this.#container.next(); block !== undefined; block = this.#container.next()) {
      this.#items ??= this.#itemsOf(this.#container.schema as string);
      try {
        for (const { value, byteLength } of this.#items(block.bytes, block.count)) {
          this.#count += 1;
          yield { value: value as T, byteLength: Math.max(1, byteLength) };
        }
      } catch (cause) {
        if (!(cause instanceof DecodeError)) throw cause;
        const message = `Record ${this.#count + 1} of the file: ${describeError(cause)}.`;
        throw new DecodeError(cause.code as 'RXF_DECODE_SYNTAX', message, {
          cause,
          details: { record: this.#count + 1 },
        });
      }
    }
  }

  end(): Iterable<FileRecord<T>> {
    this.#container.end();
    return [];
  }

  #itemsOf(schema: string): ReturnType<typeof avroItemsReader> {
    try {
      return avroItemsReader(JSON.parse(schema) as AvroSchema, this.#readerSchema);
    } catch (cause) {
      const message = `The schema of the file cannot be used: ${describeError(cause)}.`;
      throw new DecodeError('RXF_DECODE_SHAPE', message, { cause });
    }
  }
}
