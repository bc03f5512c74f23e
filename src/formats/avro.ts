import { DecodeError } from '../core/errors.js';
import { expectKnown } from '../core/options.js';
import type { AvroDecoded } from './avro-decoded.js';
import { avroReader } from './avro-read.js';
import type { AvroSchema } from './avro-schema.js';
import type { Decoder } from './decoder.js';

export interface AvroOptions<S extends AvroSchema = AvroSchema, R extends AvroSchema = S> {
  /** The schema that the values were written with. */
  readonly schema: S;
  /** The schema that they are read as, by Avro's rules of schema resolution. Default `schema`. */
  readonly readerSchema?: R;
}

/**
 * A decoder of single values in Avro's binary encoding: no file, and no header of a schema registry. What `avroFile` writes, it reads
 * to the same values; a literal schema gives their type.
 *
 * ```ts
 * import { avro } from 'rxflume/formats';
 *
 * const decoder = avro({
 *   schema: { type: 'record', name: 'Message', fields: [{ name: 'id', type: 'long' }] },
 *   readerSchema: {
 *     type: 'record',
 *     name: 'Message',
 *     fields: [
 *       { name: 'id', type: 'double' },
 *       { name: 'lang', type: 'string', default: 'en' },
 *     ],
 *   },
 * });
 * decoder(Buffer.from([14])); // → { id: 7, lang: 'en' }
 * ```
 *
 * Bounds: each length and count is checked against the bytes that are left before anything is allocated; at most 500 records within
 * each other, and 65,536 nulls of arrays and records without bytes.
 * Fails: an `OptionError` at the call for a schema that is none, or a `readerSchema` that can read no value of `schema`. Of a value:
 * `RXF_DECODE_EMPTY` for null (a Kafka tombstone), `RXF_DECODE_SYNTAX` for bytes that are no value of `schema`, and
 * `RXF_DECODE_SHAPE` for a value that `readerSchema` or its logical type does not have; with the path and the offset.
 * Source: Avro 1.12 specification, "Binary Encoding", "Schema Resolution".
 */
export function avro<const S extends AvroSchema, const R extends AvroSchema = S>(
  options: AvroOptions<S, R>,
): Decoder<Uint8Array | null, AvroDecoded<R>> {
  expectKnown('avro options', options, ['schema', 'readerSchema']);
  const read = avroReader(options.schema, options.readerSchema);
  return (bytes) => {
    // A value of no bytes is one of a record without fields, or of nulls only.
    if (bytes === null || bytes === undefined) {
      throw new DecodeError(
        'RXF_DECODE_EMPTY',
        'Expected Avro, got no value (a tombstone). Drop tombstones with `filterValue((value) => value !== null)` first.',
      );
    }
    return read(bytes) as AvroDecoded<R>;
  };
}
