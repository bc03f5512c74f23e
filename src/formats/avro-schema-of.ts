import { OptionError } from '../core/errors.js';
import { expectKnown, expectOption } from '../core/options.js';
import type { AvroSchema, AvroSchemaObject } from './avro-schema.js';

/** An io-ts codec, by its shape: io-ts is needed only by those who use it. */
export interface IoTsCodec {
  readonly _tag?: unknown;
  readonly name: string;
}

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
  const schema = schemaOf(codec, name, '$');
  const isRecord = typeof schema === 'object' && 'type' in schema && schema.type === 'record';
  expectOption('codec', codec?.name, isRecord, 'a codec of an object, such as `t.type`');
  const record = schema as AvroSchemaObject;
  return namespace === undefined ? record : { ...record, namespace };
}

const NAME = /^[A-Za-z_]\w*$/;
const MAX_DEPTH = 100;

/** The parts of io-ts's types that are looked at. Source: io-ts 2, `index.ts`. */
interface Codec extends IoTsCodec {
  readonly props?: Readonly<Record<string, Codec>>;
  readonly types?: readonly Codec[];
  readonly type?: Codec;
  readonly codomain?: Codec;
  readonly keys?: Readonly<Record<string, unknown>>;
  readonly value?: unknown;
}

const PRIMITIVES: Readonly<Record<string, string>> = {
  StringType: 'string',
  NumberType: 'double',
  BooleanType: 'boolean',
  BigIntType: 'long',
  NullType: 'null',
  UndefinedType: 'null',
  VoidType: 'null',
};

function schemaOf(codec: Codec, name: string, path: string): AvroSchema {
  if (path.split('.').length > MAX_DEPTH) throw unknownError(codec, path);
  const tag = String(codec?._tag);
  const primitive = Object.hasOwn(PRIMITIVES, tag) ? PRIMITIVES[tag] : undefined;
  if (primitive !== undefined) return primitive;
  switch (tag) {
    case 'RefinementType':
      return codec.name === 'Int' ? 'long' : schemaOf(codec.type as Codec, name, path);
    case 'ExactType':
    case 'ReadonlyType':
      return schemaOf(codec.type as Codec, name, path);
    case 'ArrayType':
    case 'ReadonlyArrayType':
      return { type: 'array', items: schemaOf(codec.type as Codec, `${name}_item`, `${path}[]`) };
    case 'DictionaryType':
      return { type: 'map', values: schemaOf(codec.codomain as Codec, `${name}_value`, `${path}{}`) };
    case 'KeyofType':
      return enumOf(Object.keys(codec.keys ?? {}), name);
    case 'LiteralType':
      return literalOf([codec.value], name) ?? fail(codec, path);
    case 'UnionType':
      return unionOf(codec, name, path);
    default:
      return { type: 'record', name, fields: fieldsOf(codec, name, path) };
  }
}

/** The fields of an object; of an intersection those of all its parts. */
function fieldsOf(codec: Codec, name: string, path: string): AvroSchemaObject[] {
  const { _tag: tag, props = {}, types = [], type } = codec;
  if (tag === 'ExactType' || tag === 'ReadonlyType') return fieldsOf(type as Codec, name, path);
  if (tag === 'IntersectionType') {
    const all = types.flatMap((one) => fieldsOf(one, name, path));
    const twice = all.find((field, at) => all.findIndex((other) => other.name === field.name) !== at);
    return twice === undefined ? all : fail(codec, `${path}.${String(twice.name)}`);
  }
  if (tag !== 'InterfaceType' && tag !== 'PartialType' && tag !== 'StrictType') throw unknownError(codec, path);
  return Object.entries(props).map(([field, its]) => {
    const where = `${path}.${field}`;
    if (!NAME.test(field)) throw unknownError(its, where);
    const schema = schemaOf(its, `${name}_${field}`, where);
    const nullable = tag === 'PartialType' ? withNull(schema) : schema;
    const isNullFirst = Array.isArray(nullable) && nullable[0] === 'null';
    return { name: field, type: nullable, ...(isNullFirst ? { default: null } : {}) };
  });
}

function unionOf(codec: Codec, name: string, path: string): AvroSchema {
  const { types = [] } = codec;
  const isNull = ({ _tag }: Codec) => PRIMITIVES[String(_tag)] === 'null';
  const others = types.filter((one) => !isNull(one));
  const literals = others.every(({ _tag }) => _tag === 'LiteralType') ? others.map(({ value }) => value) : undefined;
  const together = literals === undefined ? undefined : literalOf(literals, name);
  const only = others.length === 1 ? (others[0] as Codec) : undefined;
  const schema =
    together ??
    (only === undefined
      ? others.map((one, at) => schemaOf(one, `${name}_${at + 1}`, `${path}|${at + 1}`))
      : schemaOf(only, name, path));
  return others.length < types.length ? withNull(schema) : schema;
}

/** Null first, so that null can be the default. */
function withNull(schema: AvroSchema): AvroSchema {
  if (Array.isArray(schema)) return schema.includes('null') ? schema : ['null', ...schema];
  return schema === 'null' ? schema : ['null', schema];
}

function literalOf(values: readonly unknown[], name: string): AvroSchema | undefined {
  if (values.length > 0 && values.every((value) => typeof value === 'string')) return enumOf(values, name);
  if (values.every((value) => typeof value === 'number')) return values.every(Number.isSafeInteger) ? 'long' : 'double';
  return values.every((value) => typeof value === 'boolean') ? 'boolean' : undefined;
}

/** Symbols of Avro are names; other texts are a string. */
function enumOf(symbols: readonly string[], name: string): AvroSchema {
  return symbols.length > 0 && symbols.every((one) => NAME.test(one)) ? { type: 'enum', name, symbols } : 'string';
}

function fail(codec: Codec, path: string): never {
  throw unknownError(codec, path);
}

function unknownError(codec: Codec | undefined, path: string): OptionError {
  return new OptionError(
    'RXF_OPTION_INVALID',
    `\`${path}\` has no schema in Avro: ${String(codec?.name ?? codec)}. Write this part of the schema yourself, or take another codec.`,
    { details: { path } },
  );
}
