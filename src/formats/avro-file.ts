import { SinkError } from '../core/errors.js';
import { withDefaults } from '../core/options.js';
import { KiB } from '../core/units.js';
import { AvroWriter } from './avro-bytes.js';
import { type CompiledSchema, compileAvro } from './avro-compile.js';
import { type AvroCodec, AvroContainer, type BlockCodec, blockCodec } from './avro-container.js';
import type { AvroSchema, AvroValue } from './avro-schema.js';
import { failedError, misfitError } from './avro-write-error.js';
import { compressionOf } from './compression.js';
import type { Encoder, Format } from './format.js';

export interface AvroFileOptions<S extends AvroSchema = AvroSchema> {
  /** The schema of each value, an object as JSON has it. It is in each file, with attributes of yours. */
  readonly schema: S;
  /** How each block is stored. `zstd` needs Node 22.15 or later. Default `null`, which is as it is. */
  readonly codec?: AvroCodec;
}

/** The defaults of `avroFile`. */
export const AVRO_FILE_DEFAULTS = { codec: 'null' } as const satisfies Omit<AvroFileOptions, 'schema'>;

/**
 * Values in Avro object container files, one block a chunk. A literal schema gives the values' type.
 *
 * ```ts
 * import { avroFile } from 'rxflume/formats';
 *
 * export const format = avroFile({
 *   schema: {
 *     type: 'record',
 *     name: 'Message',
 *     fields: [
 *       { name: 'id', type: 'long' },
 *       { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
 *       { name: 'text', type: ['null', 'string'], default: null },
 *     ],
 *   },
 *   codec: 'deflate',
 * });
 * ```
 *
 * Bounds: a block has what a chunk has: `chunk.bytes` of the file sink and one value more. It is compressed on the main thread.
 * Fails: `RXF_SINK_FORMAT`, with the path, for a value that does not fit the schema. Nothing is written then.
 * Source: Avro 1.11 specification.
 */
export function avroFile<const S extends AvroSchema>(options: AvroFileOptions<S>): Format<AvroValue<S>> {
  const { codec } = withDefaults('avroFile options', AVRO_FILE_DEFAULTS, options, ['schema']);
  const schema = compileAvro(options.schema);
  const ready = blockCodec(codec, ['null', 'deflate', 'snappy', 'zstd']);
  return {
    extension: 'avro',
    // The blocks are compressed, not the file: a reader must find them.
    compression: compressionOf('none'),
    encoder: () => new AvroFileEncoder(schema, ready),
  };
}

class AvroFileEncoder<T> implements Encoder<T> {
  readonly #schema: CompiledSchema;
  readonly #container: AvroContainer;
  readonly #values = new AvroWriter(16 * KiB);
  #count = 0;

  constructor(schema: CompiledSchema, codec: BlockCodec) {
    this.#schema = schema;
    this.#container = new AvroContainer(schema.json, codec);
  }

  add(value: T): number {
    const before = this.#values.length;
    try {
      const misfit = this.#schema.type.misfit(value);
      if (misfit !== undefined) throw misfitError(misfit);
      this.#schema.type.write(value as never, this.#values);
    } catch (cause) {
      this.#values.rewind(before);
      throw cause instanceof SinkError ? cause : failedError(cause);
    }
    this.#count += 1;
    return this.#values.length;
  }

  take(): Uint8Array {
    if (this.#count === 0) return new Uint8Array();
    const block = this.#container.block(this.#count, this.#values.take());
    this.#count = 0;
    return block;
  }
}
