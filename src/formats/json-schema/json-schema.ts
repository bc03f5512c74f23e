import { DecodeError, describeError, OptionError, SinkError } from '../../core/errors.js';
import { jsonText } from '../../core/json-text.js';
import { expectOption } from '../../core/options.js';
import type { Decoder } from '../decoder.js';
import { type JsonOptions, json } from '../json.js';
import type { PayloadReader, PayloadWriter, RegisteredSchema, SchemaFormat } from '../schema-format.js';
import { type Check, checkOf } from './check.js';

/** A decoder of JSON on its own, and what a registry is given for JSON with a schema id. */
export type JsonSchemaFormat<A> = Decoder<Uint8Array | string | null, A> & SchemaFormat<A>;

/**
 * JSON that fits a JSON Schema, of draft-07 or 2020-12 as its `$schema` says (draft-07 where it says nothing): a decoder for bytes or text,
 * and, for a schema registry, what reads and writes values behind a schema id. By a registry, a value must fit the registry's
 * schema, and yours where you give one.
 *
 * ```ts
 * import { jsonSchema } from 'rxflume/formats/json-schema';
 *
 * interface Chat {
 *   readonly id: number;
 * }
 * const chat = jsonSchema<Chat>({ type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] });
 * chat('{"id":1}'); // → { id: 1 }
 * ```
 *
 * Bounds: compiled once. No `$ref` is fetched; `format` is not checked. Schemas become code: use those of a registry that you trust.
 * Fails: `OptionError` at the call for a schema that ajv does not take. A value: as `json`, and `RXF_DECODE_SHAPE` with the path for one that
 * does not fit; `RXF_SINK_FORMAT` for one that is to be written.
 * Source: JSON Schema draft-07 and 2020-12; `ajv` 8.
 */
export function jsonSchema<A = unknown>(schema?: object | boolean, options: JsonOptions = {}): JsonSchemaFormat<A> {
  const isSchema =
    schema === undefined || typeof schema === 'boolean' || (typeof schema === 'object' && schema !== null);
  expectOption('schema', schema, isSchema, 'a JSON Schema, an object or a boolean');
  const parse = json(undefined, options);
  const own = schema === undefined ? undefined : compiled(schema);
  const fits = (value: unknown, ...checks: readonly (Check | undefined)[]): A => {
    for (const check of checks) {
      const misfit = check?.(value);
      if (misfit === undefined) continue;
      const message = `\`${misfit.path}\` does not match the schema: ${misfit.problem}.`;
      throw new DecodeError('RXF_DECODE_SHAPE', message, { details: { path: misfit.path } });
    }
    return value as A;
  };
  const format: SchemaFormat<A> = {
    type: 'JSON',
    readerOf: (writer): PayloadReader<A> => {
      const registered = registeredCheck(writer);
      return (payload) => fits(parse(payload), registered, own);
    },
    writer: schema === undefined || own === undefined ? undefined : writerOf(schema, own),
  };
  return Object.assign((bytes: Uint8Array | string | null) => fits(parse(bytes), own), format);
}

function compiled(schema: object | boolean): Check {
  try {
    return checkOf(schema, []);
  } catch (cause) {
    throw new OptionError(
      'RXF_OPTION_INVALID',
      `Expected \`schema\` to be a JSON Schema of draft-07 or 2020-12 that refers to nothing outside: ${describeError(cause)}.`,
      { cause, details: { option: 'schema' } },
    );
  }
}

function registeredCheck(writer: RegisteredSchema): Check {
  try {
    return checkOf(JSON.parse(writer.schema), namedSchemas(writer));
  } catch (cause) {
    throw new DecodeError(
      'RXF_DECODE_SCHEMA',
      `The JSON Schema of the value cannot be used: ${describeError(cause)}.`,
      {
        cause,
      },
    );
  }
}

function namedSchemas({ references }: RegisteredSchema): (readonly [name: string, schema: object])[] {
  return references.flatMap(({ name, schema }) => [
    [name, JSON.parse(schema.schema)] as const,
    ...namedSchemas(schema),
  ]);
}

function writerOf<A>(schema: object | boolean, check: Check): PayloadWriter<A> {
  const { title } = schema as { readonly title?: unknown };
  return {
    registered: { type: 'JSON', schema: JSON.stringify(schema), references: [] },
    recordName: typeof title === 'string' ? title : 'Object',
    write(value) {
      const misfit = check(value);
      if (misfit === undefined) return Buffer.from(jsonText(value));
      throw new SinkError(
        'RXF_SINK_FORMAT',
        `Cannot write \`${misfit.path}\`: ${misfit.problem}. Change the schema, or map the value before the sink.`,
        { details: { path: misfit.path } },
      );
    },
  };
}
