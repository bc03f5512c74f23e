import { types } from 'node:util';
import type { AvroWriter } from './avro-bytes.js';
import { type AvroType, isInt, isLong, simple, writeLong } from './avro-type.js';

/** The attributes of a schema that make its type a logical one. */
export interface LogicalSchema {
  readonly type: unknown;
  readonly logicalType?: unknown;
  readonly precision?: unknown;
  readonly scale?: unknown;
  readonly size?: unknown;
}

const DAY_MS = 86_400_000;
const MAX_DAYS = 2 ** 31;

/** A valid Date, of any realm. */
function isDate(value: unknown): value is Date {
  return types.isDate(value) && !Number.isNaN(Date.prototype.getTime.call(value));
}

/**
 * The type of a schema with a `logicalType` that is known here, undefined for another, which is written as the type below it. A text
 * is what is wrong with the schema.
 *
 * Source: Avro 1.11 specification, "Logical Types".
 */
export function logicalType(schema: LogicalSchema): AvroType | string | undefined {
  const { type, logicalType: name } = schema;
  switch (name) {
    case 'date':
      return type === 'int' ? DATE : 'a `date` to be of type int';
    case 'timestamp-millis':
      return type === 'long' ? timestamp(name, 1) : 'a `timestamp-millis` to be of type long';
    case 'timestamp-micros':
      return type === 'long' ? timestamp(name, 1_000) : 'a `timestamp-micros` to be of type long';
    case 'uuid':
      if (type === 'string') return UUID_TEXT;
      return type === 'fixed' && schema.size === 16 ? UUID_BYTES : 'a `uuid` to be of type string, or fixed of size 16';
    case 'decimal':
      return decimal(schema);
    default:
      return undefined;
  }
}

const DATE = simple<Date | number>(
  'date',
  'a Date at midnight in UTC, or a whole number of days since 1970',
  (value) =>
    isInt(value) || (isDate(value) && value.getTime() % DAY_MS === 0 && Math.abs(value.getTime() / DAY_MS) < MAX_DAYS),
  (value, writer) => writer.long(typeof value === 'number' ? value : value.getTime() / DAY_MS),
);

function timestamp(name: string, perMs: number): AvroType {
  const unit = perMs === 1 ? 'milliseconds' : 'microseconds';
  return simple<Date | number | bigint>(
    name,
    `a Date, or a whole number of ${unit} since 1970 (a BigInt beyond 2^53)`,
    (value) => isLong(value) || isDate(value),
    (value, writer) => {
      if (typeof value !== 'object') writeLong(value, writer);
      else if (perMs === 1) writeLong(value.getTime(), writer);
      else writeLong(BigInt(value.getTime()) * BigInt(perMs), writer);
    },
  );
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
const isUuid = (value: unknown) => typeof value === 'string' && UUID.test(value);
const UUID_EXPECTED = 'a UUID such as `123e4567-e89b-12d3-a456-426614174000`';
const UUID_TEXT = simple<string>('uuid', UUID_EXPECTED, isUuid, (value, writer) => writer.text(value));
const UUID_BYTES = simple<string>('uuid', UUID_EXPECTED, isUuid, (value, writer) =>
  writer.fixed(Buffer.from(value.replaceAll('-', ''), 'hex')),
);

const MAX_SIZE = 2 ** 30;

/** Whether a fixed type may have so many bytes. */
export function isSize(size: unknown): size is number {
  return Number.isInteger(size) && (size as number) >= 0 && (size as number) <= MAX_SIZE;
}

/** No number has more digits. */
const MAX_DIGITS = 1_000;

function decimal({ type, precision, scale = 0, size }: LogicalSchema): AvroType | string | undefined {
  if (type !== 'bytes' && type !== 'fixed') return 'a `decimal` to be of type bytes or fixed';
  const isPrecision = Number.isInteger(precision) && (precision as number) >= 1 && (precision as number) <= MAX_DIGITS;
  if (!isPrecision) return `a \`decimal\` to have a precision from 1 to ${MAX_DIGITS}`;
  const [digits, fraction] = [precision as number, scale as number];
  if (!Number.isInteger(scale) || fraction < 0 || fraction > digits) {
    return 'a `decimal` to have a scale from 0 to its precision';
  }
  const limit = 10n ** BigInt(digits);
  const length = type === 'fixed' ? (size as number) : undefined;
  // What is wrong with the size, the fixed type says itself.
  if (type === 'fixed' && !isSize(size)) return undefined;
  if (length !== undefined && BigInt.asIntN(length * 8, limit - 1n) !== limit - 1n) {
    return `a \`decimal\` to have a precision that ${length} bytes hold`;
  }
  return simple<string | bigint>(
    'decimal',
    `a text such as \`12.5\`, or a BigInt, of at most ${digits} digits, ${fraction} of them behind the point`,
    (value) => {
      const unscaled = unscaledOf(value, fraction);
      return unscaled !== undefined && unscaled < limit && unscaled > -limit;
    },
    (value, writer) => writeDecimal(unscaledOf(value, fraction) as bigint, length, writer),
  );
}

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

/** A decimal in units of its last digit; undefined for what is none, or has more behind the point than zeros. */
function unscaledOf(value: unknown, scale: number): bigint | undefined {
  if (typeof value === 'bigint') return value * 10n ** BigInt(scale);
  if (typeof value !== 'string' || value.length > 2 * MAX_DIGITS) return undefined;
  const [, sign, whole = '', behind = ''] = DECIMAL.exec(value) ?? [];
  if (sign === undefined || /[1-9]/.test(behind.slice(scale))) return undefined;
  return BigInt(`${sign}${whole}${behind.slice(0, scale).padEnd(scale, '0')}`);
}

/** In two's complement, big-endian, in as many bytes as it needs, or in so many. */
function writeDecimal(unscaled: bigint, length: number | undefined, writer: AvroWriter): void {
  let least = 1;
  while (BigInt.asIntN(least * 8, unscaled) !== unscaled) least += 1;
  const size = length ?? least;
  const hex = BigInt.asUintN(size * 8, unscaled)
    .toString(16)
    .padStart(size * 2, '0');
  const bytes = Buffer.from(hex, 'hex');
  if (length === undefined) writer.bytes(bytes);
  else writer.fixed(bytes);
}
