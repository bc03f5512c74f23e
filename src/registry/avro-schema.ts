import { DecodeError, describeError, OptionError } from '../core/errors.js';
import { KiB } from '../core/units.js';
import { AvroWriter } from '../formats/avro-bytes.js';
import { compileAvro } from '../formats/avro-compile.js';
import type { AvroDecoded } from '../formats/avro-decoded.js';
import { avroReader } from '../formats/avro-read.js';
import type { AvroSchema, AvroValue } from '../formats/avro-schema.js';
import type { AvroMisfit } from '../formats/avro-type.js';
import { failedError, misfitError } from '../formats/avro-write-error.js';
import type { PayloadReader, PayloadWriter, RegisteredSchema, SchemaFormat } from '../formats/schema-format.js';
import { wholeAvroSchema } from './avro-references.js';

/**
 * Avro values of a schema registry. With a schema, values are read as that schema has them, whatever version they were written with, and
 * can be written; without one, they are read as they were written.
 *
 * ```ts
 * import { decode } from 'rxflume/operators';
 * import { avroSchema, registry } from 'rxflume/registry';
 *
 * const schemas = registry({ url: 'http://registry:8081' });
 * const chat = avroSchema({ type: 'record', name: 'Chat', fields: [{ name: 'id', type: 'long' }] });
 * export const decoded = decode(schemas.decoder(chat));
 * ```
 *
 * Fails: `OptionError` at the call for a schema that is none. A value: `RXF_DECODE_SYNTAX` or `RXF_DECODE_SHAPE`; `RXF_DECODE_SCHEMA` where
 * its writer's schema cannot be read as yours; `RXF_SINK_FORMAT` with the path for one that cannot be written.
 * Source: Avro 1.12 specification, "Schema Resolution".
 */
export function avroSchema(): SchemaFormat<unknown, never>;
export function avroSchema<const S extends AvroSchema>(schema: S): SchemaFormat<AvroDecoded<S>, AvroValue<S>>;
export function avroSchema(schema?: AvroSchema): SchemaFormat<unknown, unknown> {
  return {
    type: 'AVRO',
    readerOf: (writer) => readerOf(writer, schema),
    writer: schema === undefined ? undefined : writerOf(schema),
  };
}

function readerOf(writer: RegisteredSchema, reader: AvroSchema | undefined): PayloadReader<unknown> {
  const whole = wholeAvroSchema(writer);
  try {
    return avroReader(whole, reader);
  } catch (cause) {
    if (!(cause instanceof OptionError)) throw cause;
    throw new DecodeError(
      'RXF_DECODE_SCHEMA',
      `The schema of the value cannot be read${reader === undefined ? '' : ' as yours'}: ${describeError(cause)}.`,
      { cause, details: { ...cause.details } },
    );
  }
}

function writerOf(schema: AvroSchema): PayloadWriter<unknown> {
  const { json, type } = compileAvro(schema);
  const bytes = new AvroWriter(4 * KiB);
  return {
    registered: { type: 'AVRO', schema: json, references: [] },
    recordName: type.name,
    write(value) {
      bytes.rewind(0);
      let misfit: AvroMisfit | undefined;
      try {
        misfit = type.misfit(value);
        if (misfit === undefined) type.write(value as never, bytes);
      } catch (cause) {
        throw failedError(cause);
      }
      if (misfit !== undefined) throw misfitError(misfit);
      // A copy: the writer's memory is used again.
      return Buffer.from(bytes.written);
    },
  };
}
