import { OptionError } from '../core/errors.js';
import { avroDefaultFits } from './avro-default.js';
import { isSize, type LogicalSchema, logicalOf } from './avro-logical.js';
import type { AvroFieldNode, AvroLogical, AvroNode, AvroPrimitive, AvroRecordNode } from './avro-node.js';
import type { AvroSchema } from './avro-schema.js';

/** A schema as its text, and checked. */
export interface ParsedSchema {
  /** With all attributes. */
  readonly json: string;
  readonly node: AvroNode;
}

/**
 * Whose schema it is: of one that others wrote values with, what does not matter to read them is not checked, such as defaults, and
 * a logical type that does not fit the type below it is ignored, as the specification has it.
 */
export type SchemaAuthor = 'own' | 'other';

/**
 * Checks a schema, and resolves its names. `option` is what messages call it.
 *
 * Fails: `OptionError` with the path of what no reader would take: an unknown type, a name that is none or twice, a default
 * of another type.
 * Source: Avro 1.11 specification, "Schema Declaration".
 */
export function parseAvro(schema: AvroSchema, author: SchemaAuthor = 'own', option = 'schema'): ParsedSchema {
  const json = jsonOf(schema, option);
  // What was written into the text counts, whatever becomes of the object.
  return { json, node: new SchemaParser(author === 'own').parse(JSON.parse(json), option, '') };
}

function jsonOf(schema: unknown, option: string): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(schema);
  } catch {
    // A cycle, or a BigInt: neither has a JSON text.
  }
  if (json === undefined) throw invalid(option, 'a schema that JSON can hold', typeof schema);
  return json;
}

type Attributes = Readonly<Record<string, unknown>>;
type NamedNode = Extract<AvroNode, { readonly name: string }>;

const NAME = /^[A-Za-z_]\w*$/;
const PRIMITIVES: ReadonlyMap<unknown, AvroPrimitive> = new Map(
  (['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const).map((kind) => [kind, { kind }]),
);

class SchemaParser {
  readonly #isStrict: boolean;
  readonly #named = new Map<string, NamedNode>();

  constructor(isStrict: boolean) {
    this.#isStrict = isStrict;
  }

  parse(schema: unknown, at: string, namespace: string): AvroNode {
    if (typeof schema === 'string') return this.#byName(schema, at, namespace);
    if (Array.isArray(schema)) return this.#union(schema, at, namespace);
    if (typeof schema !== 'object' || schema === null) throw invalid(at, 'a schema', schema);
    const attributes = schema as Attributes;
    const logical = this.#logical(attributes, at);
    switch (attributes.type) {
      case 'array':
        return { kind: 'array', items: this.parse(attributes.items, `${at}.items`, namespace) };
      case 'map':
        return { kind: 'map', values: this.parse(attributes.values, `${at}.values`, namespace) };
      case 'record':
        return this.#record(attributes, at, namespace);
      case 'enum':
        return this.#enum(attributes, at, namespace);
      case 'fixed':
        return this.#fixed(attributes, at, namespace, logical);
      default: {
        const primitive = PRIMITIVES.get(attributes.type);
        if (primitive !== undefined) return logical === undefined ? primitive : { kind: primitive.kind, logical };
        return this.parse(attributes.type, `${at}.type`, namespace);
      }
    }
  }

  #logical(schema: Attributes, at: string): AvroLogical | undefined {
    const logical = logicalOf(schema as unknown as LogicalSchema);
    if (typeof logical !== 'string') return logical;
    if (this.#isStrict) throw invalid(at, logical, schema);
    return undefined;
  }

  #byName(name: string, at: string, namespace: string): AvroNode {
    const node = PRIMITIVES.get(name) ?? this.#named.get(fullName(name, namespace));
    if (node === undefined)
      throw invalid(at, 'a primitive type, or the name of a type that is defined before it', name);
    return node;
  }

  #union(schemas: readonly unknown[], at: string, namespace: string): AvroNode {
    if (schemas.length === 0) throw invalid(at, 'a union of at least one type', schemas);
    const kinds = new Set<string>();
    const branches = schemas.map((schema, index) => {
      const [kind, where] = [kindOf(schema, namespace), `${at}[${index}]`];
      if (Array.isArray(schema)) throw invalid(where, 'no union within a union', schema);
      if (kinds.has(kind)) throw invalid(where, `the only ${kind} of its union`, schema);
      kinds.add(kind);
      return this.parse(schema, where, namespace);
    });
    return { kind: 'union', branches };
  }

  #record(schema: Attributes, at: string, namespace: string): AvroNode {
    const { fields: given } = schema;
    if (!Array.isArray(given)) throw invalid(`${at}.fields`, 'a list of fields', given);
    const fields: AvroFieldNode[] = [];
    const { name, aliases, inner } = this.#names(schema, at, namespace);
    const node: AvroRecordNode = { kind: 'record', name, aliases, fields };
    this.#named.set(name, node);
    for (const [index, field] of (given as Attributes[]).entries()) {
      const where = `${at}.fields[${index}]`;
      const its = field?.name;
      if (!this.#isName(its)) throw invalid(`${where}.name`, 'a name of Avro', its);
      if (fields.some((other) => other.name === its))
        throw invalid(`${where}.name`, 'a name that no other field has', its);
      const type = this.parse(field?.type, `${where}.type`, inner);
      fields.push({ name: its, aliases: textsOf(field?.aliases), type, default: field?.default });
      if (this.#isStrict && field?.default !== undefined) checkDefault(field.default, type, where);
    }
    return node;
  }

  #enum(schema: Attributes, at: string, namespace: string): AvroNode {
    const { symbols, default: fallback } = schema;
    const isList = Array.isArray(symbols) && symbols.length > 0 && new Set(symbols).size === symbols.length;
    const areNames = isList && symbols.every((symbol) => this.#isName(symbol));
    if (!areNames) throw invalid(`${at}.symbols`, 'a list of names, each of them once', symbols);
    const isFallback = typeof fallback === 'string' && symbols.includes(fallback);
    if (this.#isStrict && 'default' in schema && !isFallback) {
      throw invalid(`${at}.default`, 'one of the symbols', fallback);
    }
    const { name, aliases } = this.#names(schema, at, namespace);
    const node = { kind: 'enum', name, aliases, symbols, default: isFallback ? fallback : undefined } as const;
    this.#named.set(name, node);
    return node;
  }

  #fixed(schema: Attributes, at: string, namespace: string, logical: AvroLogical | undefined): AvroNode {
    const { size } = schema;
    if (!isSize(size)) throw invalid(`${at}.size`, 'a whole number from 0 to 2^30', size);
    const { name, aliases } = this.#names(schema, at, namespace);
    const node = { kind: 'fixed', name, aliases, size, logical } as const;
    this.#named.set(name, node);
    return node;
  }

  #isName(name: unknown): name is string {
    return typeof name === 'string' && (NAME.test(name) || (!this.#isStrict && name !== ''));
  }

  /** The names of a named type, which are full, and the namespace of what is within it. */
  #names(schema: Attributes, at: string, namespace: string): { name: string; aliases: string[]; inner: string } {
    const { name: given } = schema;
    const own = typeof schema.namespace === 'string' ? schema.namespace : namespace;
    const name = typeof given === 'string' ? fullName(given, own) : '';
    if (!name.split('.').every((part) => this.#isName(part))) throw invalid(`${at}.name`, 'a name of Avro', given);
    if (PRIMITIVES.has(name)) throw invalid(`${at}.name`, 'another name than that of a primitive type', given);
    if (this.#named.has(name)) throw invalid(`${at}.name`, 'a name that no other type has', given);
    const inner = name.split('.').slice(0, -1).join('.');
    return { name, aliases: textsOf(schema.aliases).map((alias) => fullName(alias, inner)), inner };
  }
}

function checkDefault(value: unknown, type: AvroNode, at: string): void {
  if (avroDefaultFits(value, type)) return;
  throw invalid(`${at}.default`, 'a value of the type of its field, of a union that of its first type', value);
}

function textsOf(given: unknown): string[] {
  return Array.isArray(given) ? given.filter((one) => typeof one === 'string') : [];
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
    `Expected \`${at}\` to be ${rule}, got \`${shown.length > 120 ? `${shown.slice(0, 120)}…` : shown}\`.`,
    { details: { option: at, rule } },
  );
}
