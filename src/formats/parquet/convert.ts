import { describeError } from '../../core/errors.js';
import { jsonText } from '../../core/json-text.js';
import { MAX_DECIMAL_CHARS } from '../decimal.js';
import { Misfit } from './leaf.js';

// What values become: each function throws `Misfit` for what would be written as another value.

export function int32Of(value: unknown): number {
  if (typeof value !== 'number' || (value | 0) !== value) throw new Misfit(value, 'a whole number of 32 bits');
  return value;
}

export function int64Of(value: unknown): number | bigint {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return value as number | bigint;
  throw new Misfit(value, typeof value === 'number' ? 'a safe integer, or a bigint' : 'a whole number of 64 bits');
}

export function millisecondsOf(value: unknown): number | bigint {
  if (Number.isSafeInteger(value)) return value as number;
  return value instanceof Date ? timeOf(value) : wholeTimeOf(value, 'milliseconds');
}

export function microsecondsOf(value: unknown): number | bigint {
  if (!(value instanceof Date)) return wholeTimeOf(value, 'microseconds');
  const ms = timeOf(value);
  return Number.isSafeInteger(ms * 1_000) ? ms * 1_000 : BigInt(ms) * 1_000n;
}

function timeOf(value: Date): number {
  const ms = value.getTime();
  if (Number.isNaN(ms)) throw new Misfit(value, 'a valid Date');
  return ms;
}

function wholeTimeOf(value: unknown, unit: string): number | bigint {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return value as number | bigint;
  throw new Misfit(value, `a Date, or whole ${unit} since 1970`);
}

const DAY_MS = 86_400_000;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Days since 1970. */
export function daysOf(value: unknown): number {
  if (value instanceof Date) {
    const days = timeOf(value) / DAY_MS;
    if (!Number.isInteger(days)) throw new Misfit(value, 'a Date that is midnight in UTC, or YYYY-MM-DD');
    return days;
  }
  if (typeof value !== 'string' || !DAY.test(value)) throw new Misfit(value, 'YYYY-MM-DD, or a Date');
  const ms = Date.parse(`${value}T00:00:00Z`);
  // V8 takes February 30th for March 1st or 2nd.
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== value)
    throw new Misfit(value, 'a day that exists');
  return ms / DAY_MS;
}

export function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new Misfit(value, 'text');
  return value;
}

export function bytesOf(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new Misfit(value, 'bytes');
  return value;
}

export function symbolOf(symbols: readonly string[]): (value: unknown) => string {
  const known = new Set<unknown>(symbols);
  const rule = `one of ${symbols.map((symbol) => `'${symbol}'`).join(', ')}`;
  return (value) => {
    if (!known.has(value)) throw new Misfit(value, rule);
    return value as string;
  };
}

export function jsonOf(value: unknown): string {
  try {
    return jsonText(value);
  } catch (error) {
    throw new Misfit(value, `a value that has a JSON form (${describeError(error)})`);
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const UUID_BYTES = 16;

export function writeUuid(value: unknown, into: Buffer, at: number): void {
  if (typeof value === 'string' && UUID.test(value)) into.write(value.replaceAll('-', ''), at, 'hex');
  else if (value instanceof Uint8Array && value.length === UUID_BYTES) into.set(value, at);
  else throw new Misfit(value, 'a UUID as text with hyphens, or as 16 bytes');
}

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d+))?$/;
/** So many digits are a safe integer, whatever they are. */
const SAFE_DIGITS = 15;

/** The digits of a decimal number as one whole number: of 12.5 at scale 2, 1250. */
export function unscaledOf(precision: number, scale: number): (value: unknown) => number | bigint {
  const zeros = '0'.repeat(scale);
  const rule = `a decimal of ${precision} digits, ${scale} of them after the point`;
  return (value) => {
    const isKnown = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint';
    const text = isKnown ? String(value) : '';
    const found = text.length <= MAX_DECIMAL_CHARS ? DECIMAL.exec(text) : null;
    if (found === null) throw new Misfit(value, `${rule}, as text, number or bigint`);
    const fraction = (found[3] ?? '').replace(/0+$/, '');
    const digits = ((found[2] as string) + fraction + zeros.slice(fraction.length)).replace(/^0+(?=\d)/, '');
    if (fraction.length > scale || digits.length > precision) throw new Misfit(value, rule);
    if (digits.length <= SAFE_DIGITS) return found[1] === '-' ? -Number(digits) : Number(digits);
    return found[1] === '-' ? -BigInt(digits) : BigInt(digits);
  };
}

/** As 16 bytes, signed and big-endian. */
export function writeUnscaled(
  unscaled: (value: unknown) => number | bigint,
): (value: unknown, into: Buffer, at: number) => void {
  return (value, into, at) => {
    const whole = BigInt(unscaled(value));
    into.writeBigInt64BE(whole >> 64n, at);
    into.writeBigUInt64BE(BigInt.asUintN(64, whole), at + 8);
  };
}
