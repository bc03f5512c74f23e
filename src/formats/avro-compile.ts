import { OptionError } from '../core/errors.js';
import { avroDefaultFits } from './avro-default.js';
import { isSize, type LogicalSchema, logicalType } from './avro-logical.js';
import type { AvroSchema } from './avro-schema.js';
import { type AvroField, type AvroType, arrayOf, mapOf, PRIMITIVES, recordOf, simple, unionOf } from './avro-type.js';

/** A schema as it is in the file, and what writes its values. */
export interface CompiledSchema {
  readonly json: string;
  readonly type: AvroType;
}

/**
 * Checks a schema, and makes of it what writes its values. All attributes stay in its text.
 *
 * Fails: `OptionError` with the path of what no reader would take: an unknown type, a name that is none or twice, a default
 * of another type.
 * Source: Avro 1.11 specification, "Schema Declaration".
 */
export function compileAvro(schema: AvroSchema): CompiledSchema {
  const json = jsonOf(schema);
  // What was written into the text counts, whatever becomes of the object.
  return { json, type: new SchemaCompiler().compile(JSON.parse(json), '', '') };
}

function jsonOf(schema: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(schema);
  } catch {
    // A cycle, or a BigInt: neither has a JSON text.
  }
  if (json === undefined) throw invalid('', 'a schema that JSON can hold', typeof schema);
  return json;
}

type Attributes = Readonly<Record<string, unknown>>;

const NAME = /^[A-Za-z_]\w*$/;

class SchemaCompiler {
  readonly #named = new Map<string, AvroType>();
  readonly #schemas = new Map<string, Attributes>();

  compile(schema: unknown, at: string, namespace: string): AvroType {
    if (typeof schema === 'string') return this.#byName(schema, at, namespace);
    if (Array.isArray(schema)) return this.#union(schema, at, namespace);
    if (typeof schema !== 'object' || schema === null) throw invalid(at, 'a schema', schema);
    const attributes = schema as Attributes;
    const logical = logicalType(attributes as unknown as LogicalSchema);
    if (typeof logical === 'string') throw invalid(at, logical, schema);
    switch (attributes.type) {
      case 'array':
        return arrayOf(this.compile(attributes.items, `${at}.items`, namespace));
      case 'map':
        return mapOf(this.compile(attributes.values, `${at}.values`, namespace));
      case 'record':
        return this.#record(attributes, at, namespace);
      case 'enum':
        return this.#enum(attributes, at, namespace);
      case 'fixed':
        return this.#fixed(attributes, at, namespace, logical);
      default:
        return logical ?? this.compile(attributes.type, `${at}.type`, namespace);
    }
  }

  #byName(name: string, at: string, namespace: string): AvroType {
    const type = PRIMITIVES.get(name) ?? this.#named.get(fullName(name, namespace));
    if (type === undefined)
      throw invalid(at, 'a primitive type, or the name of a type that is defined before it', name);
    return type;
  }

  #union(schemas: readonly unknown[], at: string, namespace: string): AvroType {
    if (schemas.length === 0) throw invalid(at, 'a union of at least one type', schemas);
    const kinds = new Set<string>();
    const branches = schemas.map((schema, index) => {
      const [kind, where] = [kindOf(schema, namespace), `${at}[${index}]`];
      if (Array.isArray(schema)) throw invalid(where, 'no union within a union', schema);
      if (kinds.has(kind)) throw invalid(where, `the only ${kind} of its union`, schema);
      kinds.add(kind);
      return this.compile(schema, where, namespace);
    });
    return unionOf(branches);
  }

  #record(schema: Attributes, at: string, namespace: string): AvroType {
    const { fields: given } = schema;
    if (!Array.isArray(given)) throw invalid(`${at}.fields`, 'a list of fields', given);
    const fields: AvroField[] = [];
    const [name, inner] = this.#define(schema, at, namespace, (full) => recordOf(full, fields));
    for (const [index, field] of (given as Attributes[]).entries()) {
      const where = `${at}.fields[${index}]`;
      const its = field?.name;
      if (typeof its !== 'string' || !NAME.test(its)) throw invalid(`${where}.name`, 'a name of Avro', its);
      if (fields.some((other) => other.name === its))
        throw invalid(`${where}.name`, 'a name that no other field has', its);
      fields.push({ name: its, type: this.compile(field?.type, `${where}.type`, inner) });
      if (field !== undefined && 'default' in field) this.#checkDefault(field, where, inner);
    }
    return this.#named.get(name) as AvroType;
  }

  #checkDefault(field: Attributes, at: string, namespace: string): void {
    const schemaOf = (name: string) => this.#schemas.get(fullName(name, namespace));
    if (avroDefaultFits(field.default, field.type, schemaOf)) return;
    throw invalid(
      `${at}.default`,
      'a value of the type of its field, of a union that of its first type',
      field.default,
    );
  }

  #enum(schema: Attributes, at: string, namespace: string): AvroType {
    const { symbols } = schema;
    const isList = Array.isArray(symbols) && symbols.length > 0 && new Set(symbols).size === symbols.length;
    const areNames = isList && symbols.every((symbol) => typeof symbol === 'string' && NAME.test(symbol));
    if (!areNames) throw invalid(`${at}.symbols`, 'a list of names, each of them once', symbols);
    const indexes = new Map<unknown, number>(symbols.map((symbol, index) => [symbol, index]));
    if ('default' in schema && !indexes.has(schema.default)) {
      throw invalid(`${at}.default`, 'one of the symbols', schema.default);
    }
    const [name] = this.#define(schema, at, namespace, (full) =>
      simple<string>(
        full,
        `one of the ${symbols.length} symbols of ${full}`,
        (value) => indexes.has(value),
        (value, writer) => writer.long(indexes.get(value) as number),
      ),
    );
    return this.#named.get(name) as AvroType;
  }

  #fixed(schema: Attributes, at: string, namespace: string, logical: AvroType | undefined): AvroType {
    const { size } = schema;
    if (!isSize(size)) throw invalid(`${at}.size`, 'a whole number from 0 to 2^30', size);
    const [name] = this.#define(
      schema,
      at,
      namespace,
      (full) =>
        logical ??
        simple<Uint8Array>(
          full,
          `${size} bytes (a Uint8Array)`,
          (value) => value instanceof Uint8Array && value.length === size,
          (value, writer) => writer.fixed(value),
        ),
    );
    return this.#named.get(name) as AvroType;
  }

  /** Remembers a named type; gives its full name, and the namespace of what is within it. */
  #define(schema: Attributes, at: string, namespace: string, make: (full: string) => AvroType): [string, string] {
    const { name } = schema;
    const own = typeof schema.namespace === 'string' ? schema.namespace : namespace;
    const full = typeof name === 'string' ? fullName(name, own) : '';
    if (!full.split('.').every((part) => NAME.test(part))) throw invalid(`${at}.name`, 'a name of Avro', name);
    if (PRIMITIVES.has(full)) throw invalid(`${at}.name`, 'another name than that of a primitive type', name);
    if (this.#named.has(full)) throw invalid(`${at}.name`, 'a name that no other type has', name);
    this.#named.set(full, make(full));
    this.#schemas.set(full, schema);
    return [full, full.split('.').slice(0, -1).join('.')];
  }
}

function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

/** Of each kind a union has one: of named types each name. */
function kindOf(schema: unknown, namespace: string): string {
  if (typeof schema === 'string') return PRIMITIVES.has(schema) ? schema : fullName(schema, namespace);
  const { type, name, namespace: own } = (schema ?? {}) as Attributes;
  if (typeof name === 'string') return fullName(name, typeof own === 'string' ? own : namespace);
  return typeof type === 'string' ? type : 'type';
}

function invalid(at: string, rule: string, got: unknown): OptionError {
  const shown = JSON.stringify(got) ?? String(got);
  return new OptionError(
    'RXF_OPTION_INVALID',
    `Expected \`schema${at}\` to be ${rule}, got \`${shown.length > 120 ? `${shown.slice(0, 120)}…` : shown}\`.`,
    { details: { option: `schema${at}`, rule } },
  );
}
