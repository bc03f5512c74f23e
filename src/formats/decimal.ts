/** No number has more digits. */
const MAX_DIGITS = 1_000;

/** No text of a decimal is longer, with all its zeros: the time to take one apart grows faster than its length. */
export const MAX_DECIMAL_CHARS = 2 * MAX_DIGITS;

/** Longer ones than any precision needs are not made a number, for the same reason. */
const MAX_BYTES = 1_024;

/** What a schema has to say of a decimal and does not; undefined where nothing is wrong. */
export function decimalFault(precision: unknown, scale: unknown): string | undefined {
  const isWithin = (value: unknown, least: number, most: number) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
  if (!isWithin(precision, 1, MAX_DIGITS)) return `a precision from 1 to ${MAX_DIGITS}`;
  if (!isWithin(scale, 0, precision as number)) return 'a scale from 0 to its precision';
  return undefined;
}

/** The whole number in two's complement, big-endian; undefined where there are no bytes, or more than a decimal has. */
export function wholeOfBytes(bytes: Uint8Array): bigint | undefined {
  if (bytes.length === 0 || bytes.length > MAX_BYTES) return undefined;
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`));
}

/** The text of a decimal in units of its last digit, with as many digits behind the point as its scale. */
export function decimalText(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return unscaled < 0n ? `-${text}` : text;
}
