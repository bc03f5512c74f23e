import { logicalType } from './avro-logical-type.js';
import type { AvroNode, AvroRecordNode } from './avro-node.js';
import { parseAvro } from './avro-parse.js';
import type { AvroSchema } from './avro-schema.js';
import { type AvroField, type AvroType, arrayOf, mapOf, PRIMITIVES, recordOf, simple, unionOf } from './avro-type.js';

/** A schema as it is in the file, and what writes its values. */
export interface CompiledSchema {
  readonly json: string;
  readonly type: AvroType;
}

/** Checks a schema, and makes of it what writes its values. All attributes stay in its text. */
export function compileAvro(schema: AvroSchema): CompiledSchema {
  const { json, node } = parseAvro(schema);
  return { json, type: typeOf(node, new Map()) };
}

/** `records`: those that were begun, since one may hold itself. */
function typeOf(node: AvroNode, records: Map<AvroRecordNode, AvroType>): AvroType {
  switch (node.kind) {
    case 'array':
      return arrayOf(typeOf(node.items, records));
    case 'map':
      return mapOf(typeOf(node.values, records));
    case 'union':
      return unionOf(node.branches.map((branch) => typeOf(branch, records)));
    case 'record':
      return records.get(node) ?? recordType(node, records);
    case 'enum':
      return enumType(node.name, node.symbols);
    case 'fixed':
      return node.logical === undefined ? fixedType(node.name, node.size) : logicalType(node.logical, node.size);
    default:
      return node.logical === undefined ? (PRIMITIVES.get(node.kind) as AvroType) : logicalType(node.logical);
  }
}

function recordType(node: AvroRecordNode, records: Map<AvroRecordNode, AvroType>): AvroType {
  const fields: AvroField[] = [];
  const type = recordOf(node.name, fields);
  records.set(node, type);
  for (const field of node.fields) fields.push({ name: field.name, type: typeOf(field.type, records) });
  return type;
}

function enumType(name: string, symbols: readonly string[]): AvroType {
  const indexes = new Map<unknown, number>(symbols.map((symbol, index) => [symbol, index]));
  return simple<string>(
    name,
    `one of the ${symbols.length} symbols of ${name}`,
    (value) => indexes.has(value),
    (value, writer) => writer.long(indexes.get(value) as number),
  );
}

function fixedType(name: string, size: number): AvroType {
  return simple<Uint8Array>(
    name,
    `${size} bytes (a Uint8Array)`,
    (value) => value instanceof Uint8Array && value.length === size,
    (value, writer) => writer.fixed(value),
  );
}
