import type { SchemaElement } from 'hyparquet';
import { parseFloat16 } from 'hyparquet/src/convert.js';
import { decimalFault, decimalText, wholeOfBytes } from '../../decimal.js';

/** What the schema has to say of a column of decimals and does not; undefined where nothing is wrong, and for other columns. */
export function decimalColumnFault(element: SchemaElement): string | undefined {
  if ((element.logical_type?.type ?? element.converted_type) !== 'DECIMAL') return undefined;
  const { precision, scale } = digitsOf(element);
  const fault = decimalFault(precision, scale);
  return fault && `decimals of precision ${precision} and scale ${scale}, and has to have ${fault}`;
}

/** How many digits decimals have, and how many of them behind the point. */
function digitsOf(element: SchemaElement): { readonly precision: number; readonly scale: number } {
  const { precision = 0, scale = 0 } = element.logical_type?.type === 'DECIMAL' ? element.logical_type : element;
  return { precision, scale };
}

/** Makes a value of what is stored. */
export type StoredValueReader = (stored: unknown) => unknown;

const DAY_MS = 86_400_000;
const DAY_NS = 86_400_000_000_000n;
/** The Julian day of 1970-01-01. */
const EPOCH_DAY = 2_440_588n;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What the values of a column are read as: those that `parquet` writes, and that `avroRecords` gives for the same types. */
export function storedValueReader(element: SchemaElement): StoredValueReader {
  const { type, converted_type: converted, logical_type: logical } = element;
  switch (logical?.type ?? converted) {
    case 'STRING':
    case 'UTF8':
    case 'ENUM':
      return textOf;
    case 'JSON':
      return (stored) => JSON.parse(textOf(stored)) as unknown;
    case 'UUID':
      return uuidOf;
    case 'DECIMAL':
      return decimalOf(digitsOf(element).scale);
    case 'DATE':
      return (stored) => dateOf(Number(stored) * DAY_MS);
    case 'TIMESTAMP_MILLIS':
      return (stored) => dateOf(Number(stored));
    case 'TIMESTAMP':
      if (logical?.type === 'TIMESTAMP' && logical.unit === 'MILLIS') return (stored) => dateOf(Number(stored));
      return wholeOf;
    case 'FLOAT16':
      return (stored) => parseFloat16(stored as Uint8Array);
    case 'UINT_32':
      return (stored) => Number(stored) >>> 0;
    case 'UINT_64':
      return (stored) => wholeOf(BigInt.asUintN(64, stored as bigint));
    case 'INTEGER':
      if (logical?.type === 'INTEGER' && !logical.isSigned) {
        if (type === 'INT64') return (stored) => wholeOf(BigInt.asUintN(64, stored as bigint));
        return (stored) => Number(stored) >>> 0;
      }
      return physicalReader(type);
    default:
      return physicalReader(type);
  }
}

/** Of a type that says no more than how it is stored. */
function physicalReader(type: SchemaElement['type']): StoredValueReader {
  if (type === 'INT96') return nanosecondsOf;
  if (type === 'INT64') return wholeOf;
  // A view would keep the whole page in memory.
  if (type === 'BYTE_ARRAY' || type === 'FIXED_LEN_BYTE_ARRAY') return (stored) => Buffer.from(stored as Uint8Array);
  return (stored) => stored;
}

function textOf(stored: unknown): string {
  return utf8.decode(stored as Uint8Array);
}

/** A number where it is a safe integer. */
function wholeOf(stored: unknown): number | bigint {
  const number = Number(stored);
  return Number.isSafeInteger(number) ? number : (stored as bigint);
}

function dateOf(ms: number): Date {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) throw new Error(`no Date is ${ms} ms from 1970`);
  return date;
}

function uuidOf(stored: unknown): string {
  const hex = Buffer.from(stored as Uint8Array).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** As text with all digits behind the point. */
function decimalOf(scale: number): StoredValueReader {
  return (stored) => {
    if (!(stored instanceof Uint8Array)) return decimalText(BigInt(stored as number | bigint), scale);
    const whole = wholeOfBytes(stored);
    if (whole === undefined) throw new Error(`no decimal has ${stored.length} bytes`);
    return decimalText(whole, scale);
  };
}

/** From 1970; stored as a day and nanoseconds of it. */
function nanosecondsOf(stored: unknown): number | bigint {
  const both = stored as bigint;
  return wholeOf(((both >> 64n) - EPOCH_DAY) * DAY_NS + BigInt.asUintN(64, both));
}
