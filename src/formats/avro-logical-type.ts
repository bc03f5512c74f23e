import { types } from 'node:util';
import type { AvroWriter } from './avro-bytes.js';
import type { AvroLogical } from './avro-node.js';
import { type AvroType, isInt, isLong, simple, writeLong } from './avro-type.js';
import { decimalText, MAX_DECIMAL_CHARS, wholeOfBytes } from './decimal.js';

const DAY_MS = 86_400_000;
const MAX_DAYS = 2 ** 31;

/** What writes the values of a logical type; `size` of one that is fixed. */
export function logicalType(logical: AvroLogical, size?: number): AvroType {
  switch (logical.name) {
    case 'date':
      return DATE;
    case 'timestamp-millis':
      return timestamp(logical.name, 1);
    case 'timestamp-micros':
      return timestamp(logical.name, 1_000);
    case 'uuid':
      return size === undefined ? UUID_TEXT : UUID_BYTES;
    case 'decimal':
      return decimal(logical.precision, logical.scale, size);
  }
}

/**
 * The value of a logical type that what is below it stands for; undefined where there is none: a time that no Date has, a text that is
 * no UUID, a decimal of too many digits.
 */
export function fromLogical(logical: AvroLogical, below: unknown): unknown {
  switch (logical.name) {
    case 'date':
      return dateOf((below as number) * DAY_MS);
    case 'timestamp-millis':
      return dateOf(Number(below));
    case 'timestamp-micros':
      return below;
    case 'uuid':
      if (typeof below === 'string') return UUID.test(below) ? below : undefined;
      return UUID_HEX.exec((below as Buffer).toString('hex'))
        ?.slice(1)
        .join('-');
    case 'decimal':
      return decimalOf(below as Buffer, logical);
  }
}

/** What `fromLogical` gives, in the words of messages. */
export function logicalExpected(logical: AvroLogical): string {
  if (logical.name === 'uuid') return 'a UUID';
  if (logical.name === 'decimal') return `a decimal of at most ${logical.precision} digits`;
  return 'a time that a Date can hold, within 8,640,000,000,000,000 ms of 1970';
}

function dateOf(ms: number): Date | undefined {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** A valid Date, of any realm. */
function isDate(value: unknown): value is Date {
  return types.isDate(value) && !Number.isNaN(Date.prototype.getTime.call(value));
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
const UUID_HEX = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;
const isUuid = (value: unknown) => typeof value === 'string' && UUID.test(value);
const UUID_EXPECTED = 'a UUID such as `123e4567-e89b-12d3-a456-426614174000`';
const UUID_TEXT = simple<string>('uuid', UUID_EXPECTED, isUuid, (value, writer) => writer.text(value));
const UUID_BYTES = simple<string>('uuid', UUID_EXPECTED, isUuid, (value, writer) =>
  writer.fixed(Buffer.from(value.replaceAll('-', ''), 'hex')),
);

function decimal(digits: number, fraction: number, length: number | undefined): AvroType {
  const limit = 10n ** BigInt(digits);
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
  if (typeof value !== 'string' || value.length > MAX_DECIMAL_CHARS) return undefined;
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

function decimalOf(bytes: Uint8Array, of: { readonly precision: number; readonly scale: number }): string | undefined {
  const unscaled = wholeOfBytes(bytes);
  if (unscaled === undefined) return undefined;
  const limit = 10n ** BigInt(of.precision);
  return unscaled < limit && unscaled > -limit ? decimalText(unscaled, of.scale) : undefined;
}
