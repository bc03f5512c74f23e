import type { AvroLogical } from './avro-node.js';
import { decimalFault } from './decimal.js';

/** The attributes of a schema that make its type a logical one. */
export interface LogicalSchema {
  readonly type: unknown;
  readonly logicalType?: unknown;
  readonly precision?: unknown;
  readonly scale?: unknown;
  readonly size?: unknown;
}

/**
 * The logical type of a schema where it is known here, undefined for another, whose values are those of the type below it. A text is
 * what is wrong with the schema.
 *
 * Source: Avro 1.11 specification, "Logical Types".
 */
export function logicalOf(schema: LogicalSchema): AvroLogical | string | undefined {
  const { type, logicalType: name } = schema;
  switch (name) {
    case 'date':
      return type === 'int' ? { name } : 'a `date` to be of type int';
    case 'timestamp-millis':
    case 'timestamp-micros':
      return type === 'long' ? { name } : `a \`${name}\` to be of type long`;
    case 'uuid':
      if (type === 'string' || (type === 'fixed' && schema.size === 16)) return { name };
      return 'a `uuid` to be of type string, or fixed of size 16';
    case 'decimal':
      return decimalOf(schema);
    default:
      return undefined;
  }
}

const MAX_SIZE = 2 ** 30;

/** Whether a fixed type may have so many bytes. */
export function isSize(size: unknown): size is number {
  return Number.isInteger(size) && (size as number) >= 0 && (size as number) <= MAX_SIZE;
}

function decimalOf({ type, precision, scale = 0, size }: LogicalSchema): AvroLogical | string | undefined {
  if (type !== 'bytes' && type !== 'fixed') return 'a `decimal` to be of type bytes or fixed';
  const fault = decimalFault(precision, scale);
  if (fault !== undefined) return `a \`decimal\` to have ${fault}`;
  const [digits, fraction] = [precision as number, scale as number];
  // What is wrong with the size, the fixed type says itself.
  if (type === 'fixed' && !isSize(size)) return undefined;
  const largest = 10n ** BigInt(digits) - 1n;
  if (type === 'fixed' && BigInt.asIntN((size as number) * 8, largest) !== largest) {
    return `a \`decimal\` to have a precision that ${size} bytes hold`;
  }
  return { name: 'decimal', precision: digits, scale: fraction };
}
