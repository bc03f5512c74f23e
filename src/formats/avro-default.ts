import { fromLogical } from './avro-logical-type.js';
import type { AvroFieldNode, AvroNode } from './avro-node.js';
import { hasFields, isInt } from './avro-type.js';

/**
 * Whether a `default` of a field is a JSON value of its type; of a union, of its first type. Java's reader rejects a whole file where
 * one is not.
 *
 * Source: Avro 1.11 specification, "Complex Types", the table of defaults; `Schema.Parser.setValidateDefaults` of Java's Avro.
 */
export function avroDefaultFits(value: unknown, type: AvroNode): boolean {
  switch (type.kind) {
    case 'null':
      return value === null;
    case 'boolean':
      return typeof value === 'boolean';
    case 'int':
      return isInt(value);
    case 'long':
      return Number.isInteger(value) && Math.abs(value as number) < 2 ** 63;
    case 'float':
    case 'double':
      return typeof value === 'number';
    case 'string':
      return typeof value === 'string';
    case 'bytes':
      return isLatin1(value);
    case 'fixed':
      return isLatin1(value) && value.length === type.size;
    case 'enum':
      return type.symbols.includes(value as string);
    case 'array':
      return Array.isArray(value) && value.every((item) => avroDefaultFits(item, type.items));
    case 'map':
      return hasFields(value) && Object.values(value).every((part) => avroDefaultFits(part, type.values));
    case 'record':
      return hasFields(value) && type.fields.every((field) => fieldFits(value, field));
    case 'union':
      return avroDefaultFits(value, type.branches[0] as AvroNode);
  }
}

function fieldFits(value: Readonly<Record<string, unknown>>, field: AvroFieldNode): boolean {
  if (Object.hasOwn(value, field.name)) return avroDefaultFits(value[field.name], field.type);
  return field.default !== undefined;
}

/** Bytes are texts of the characters 0 to 255 in JSON. */
function isLatin1(value: unknown): value is string {
  return typeof value === 'string' && Buffer.from(value, 'latin1').toString('latin1') === value;
}

/** The value that a `default` stands for, new each time; undefined where a logical type has none of it. */
export function avroDefault(value: unknown, type: AvroNode): unknown {
  switch (type.kind) {
    case 'array':
      return (value as unknown[]).map((item) => avroDefault(item, type.items));
    case 'map':
      return fromPairs(Object.entries(value as object).map(([name, part]) => [name, avroDefault(part, type.values)]));
    case 'record': {
      const given = value as Readonly<Record<string, unknown>>;
      return fromPairs(
        type.fields.map((field) => {
          const its = Object.hasOwn(given, field.name) ? given[field.name] : field.default;
          return [field.name, avroDefault(its, field.type)];
        }),
      );
    }
    case 'union':
      return avroDefault(value, type.branches[0] as AvroNode);
    case 'bytes':
    case 'fixed':
      return logical(Buffer.from(value as string, 'latin1'), type);
    case 'float':
      return Math.fround(value as number);
    case 'long':
      return logical(Number.isSafeInteger(value) ? value : BigInt(value as number), type);
    case 'int':
    case 'string':
      return logical(value, type);
    default:
      return value;
  }
}

function logical(value: unknown, type: Extract<AvroNode, { readonly logical?: unknown }>): unknown {
  return type.logical === undefined ? value : fromLogical(type.logical, value);
}

/** `fromEntries` defines `__proto__`, where an assignment would set the prototype. */
function fromPairs(pairs: [string, unknown][]): Record<string, unknown> {
  return Object.fromEntries(pairs);
}
