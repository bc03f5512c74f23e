import { hasFields, isInt } from './avro-type.js';

type Attributes = Readonly<Record<string, unknown>>;
/** A type by its name, with its namespace where the name is used. */
type SchemaOf = (name: string) => Attributes | undefined;

/**
 * Whether a `default` of a field is a JSON value of its type; of a union, of its first type. Java's reader rejects a whole file where
 * one is not. `schema` is one that was checked already.
 *
 * Source: Avro 1.11 specification, "Complex Types", the table of defaults; `Schema.Parser.setValidateDefaults` of Java's Avro.
 */
export function avroDefaultFits(value: unknown, schema: unknown, schemaOf: SchemaOf): boolean {
  const fits = (part: unknown, its: unknown) => avroDefaultFits(part, its, schemaOf);
  if (Array.isArray(schema)) return fits(value, schema[0]);
  const attributes = typeof schema === 'string' ? (schemaOf(schema) ?? { type: schema }) : (schema as Attributes);
  switch (attributes.type) {
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
      return isLatin1(value) && value.length === attributes.size;
    case 'enum':
      return (attributes.symbols as unknown[]).includes(value);
    case 'array':
      return Array.isArray(value) && value.every((item) => fits(item, attributes.items));
    case 'map':
      return hasFields(value) && Object.values(value).every((part) => fits(part, attributes.values));
    case 'record':
      return (
        hasFields(value) &&
        (attributes.fields as Attributes[]).every((field) =>
          Object.hasOwn(value, field.name as string)
            ? fits(value[field.name as string], field.type)
            : 'default' in field,
        )
      );
    default:
      return fits(value, attributes.type);
  }
}

/** Bytes are texts of the characters 0 to 255 in JSON. */
function isLatin1(value: unknown): value is string {
  return typeof value === 'string' && Buffer.from(value, 'latin1').toString('latin1') === value;
}
