import { OptionError } from '../core/errors.js';
import { expectKnown, expectOption } from '../core/options.js';
import type { AvroSchema, AvroSchemaObject } from './avro-schema.js';
import { type CodecField, type CodecShape, type IoTsCodec, shapeOf } from './io-ts-shape.js';

export type { IoTsCodec };

export interface AvroSchemaOfOptions {
  /** The name of the record; what it holds is named after it and the field. */
  readonly name: string;
  readonly namespace?: string;
}

/**
 * The Avro schema of an io-ts codec: of `t.type`, `t.partial`, `t.intersection`, `t.exact`, `t.readonly`, `t.array`, `t.record`, `t.union`, `t.literal`,
 * `t.keyof`, `t.string`, `t.number` (a double), `t.Int` (a long), `t.bigint` (a long), `t.boolean`, `t.null` and `t.undefined`. A field that may be absent is one
 * that may be null, and is read as null. A refinement or brand is what it refines.
 *
 * ```ts
 * import { avroSchemaOf } from 'rxflume/formats';
 * import * as t from 'io-ts';
 *
 * const Chat = t.type({ id: t.Int, lang: t.keyof({ en: null, zh: null }) });
 * export const schema = avroSchemaOf(Chat, { name: 'Chat', namespace: 'acme' });
 * ```
 *
 * Fails: `OptionError` with the path of what has no schema in Avro, such as `t.unknown`, a recursive type, or a name that Avro does not take.
 */
export function avroSchemaOf(codec: IoTsCodec, options: AvroSchemaOfOptions): AvroSchemaObject {
  expectKnown('avroSchemaOf options', options, ['name', 'namespace']);
  const { name, namespace } = options;
  expectOption('name', name, typeof name === 'string' && NAME.test(name), 'a name of Avro: letters, digits and `_`');
  const isNamespace =
    namespace === undefined || (typeof namespace === 'string' && namespace.split('.').every((part) => NAME.test(part)));
  expectOption('namespace', namespace, isNamespace, 'names of Avro with points between');
  const schema = schemaOf(shapeOf(codec), name, '$');
  const isRecord = typeof schema === 'object' && 'type' in schema && schema.type === 'record';
  expectOption('codec', codec?.name, isRecord, 'a codec of an object, such as `t.type`');
  const record = schema as AvroSchemaObject;
  return namespace === undefined ? record : { ...record, namespace };
}

const NAME = /^[A-Za-z_]\w*$/;

function schemaOf(shape: CodecShape, name: string, path: string): AvroSchema {
  switch (shape.kind) {
    case 'unknown':
      throw unknownError(shape.name, path);
    case 'enum':
      return enumOf(shape.symbols, name);
    case 'array':
      return { type: 'array', items: schemaOf(shape.items, `${name}_item`, `${path}[]`) };
    case 'map':
      return { type: 'map', values: schemaOf(shape.values, `${name}_value`, `${path}{}`) };
    case 'record':
      return { type: 'record', name, fields: shape.fields.map((field) => fieldOf(field, name, path)) };
    case 'union':
      return unionOf(shape.members, name, path);
    default:
      return shape.kind;
  }
}

function fieldOf({ name: field, shape }: CodecField, name: string, path: string): AvroSchemaObject {
  const where = `${path}.${field}`;
  if (!NAME.test(field)) throw unknownError(field, where);
  const type = schemaOf(shape, `${name}_${field}`, where);
  // Null first, so that null can be the default.
  return { name: field, type, ...(Array.isArray(type) && type[0] === 'null' ? { default: null } : {}) };
}

function unionOf(members: readonly CodecShape[], name: string, path: string): AvroSchema {
  const others = members.filter(({ kind }) => kind !== 'null');
  const [only] = others;
  const schemas =
    others.length === 1 && only !== undefined
      ? [schemaOf(only, name, path)]
      : others.map((one, at) => schemaOf(one, `${name}_${at + 1}`, `${path}|${at + 1}`));
  return others.length < members.length ? ['null', ...schemas] : schemas;
}

/** Symbols of Avro are names; other texts are a string. */
function enumOf(symbols: readonly string[], name: string): AvroSchema {
  return symbols.length > 0 && symbols.every((one) => NAME.test(one)) ? { type: 'enum', name, symbols } : 'string';
}

function unknownError(name: string, path: string): OptionError {
  return new OptionError(
    'RXF_OPTION_INVALID',
    `\`${path}\` has no schema in Avro: ${name}. Write this part of the schema yourself, or take another codec.`,
    { details: { path } },
  );
}
