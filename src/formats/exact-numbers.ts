/** A number of a JSON text, and where it stands. */
export interface PlacedNumber {
  readonly text: string;
  readonly offset: number;
}

/** A number with fewer digits, and an exponent of fewer digits, always survives: a double holds 15 digits up to 1e±307. */
const [SAFE_DIGITS, SAFE_EXPONENT_DIGITS] = [15, 2];

/**
 * Whether a JSON text in UTF-8 may have a number that a double does not hold. It may say so of what is no number, never the
 * other way. What matters is three characters long at least, so one byte in three is looked at, and texts of few digits cost
 * little.
 */
export function mayBeInexact(json: Uint8Array): boolean {
  for (let at = 2; at < json.length; at += 3) {
    if (!isDigitOrPoint(json[at])) continue;
    let first = at;
    while (first > 0 && isDigitOrPoint(json[first - 1])) first -= 1;
    let next = at + 1;
    while (next < json.length && isDigitOrPoint(json[next])) next += 1;
    if (next - first > SAFE_DIGITS) return true;
    if (next - first > SAFE_EXPONENT_DIGITS && isExponent(json, first)) return true;
    at = next - 1;
  }
  return false;
}

function isDigitOrPoint(byte: number | undefined): boolean {
  return byte !== undefined && byte <= NINE && byte >= POINT && byte !== SLASH;
}

/** Whether the digits that begin there are those of an exponent. */
function isExponent(json: Uint8Array, first: number): boolean {
  const before = json[first - 1];
  const letter = before === PLUS || before === MINUS ? json[first - 2] : before;
  return letter === LOWER_E || letter === UPPER_E;
}

/** The first number of a valid JSON text that a double does not hold, if there is one. */
export function firstInexact(json: string): PlacedNumber | undefined {
  const number = /-?\d[\d.eE+-]*/y;
  let at = 0;
  while (at < json.length) {
    const char = json.charCodeAt(at);
    if (char === QUOTE) {
      at = endOfString(json, at);
    } else if (char === MINUS || (char >= ZERO && char <= NINE)) {
      number.lastIndex = at;
      const text = number.exec(json)?.[0] ?? json.slice(at, at + 1);
      if (!doubleHolds(text)) return { text, offset: at };
      at += text.length;
    } else {
      at += 1;
    }
  }
  return undefined;
}

const [QUOTE, PLUS, MINUS, POINT, SLASH, ZERO, NINE] = [34, 43, 45, 46, 47, 48, 57];
const [UPPER_E, BACKSLASH, LOWER_E] = [69, 92, 101];

/** Where the string that opens there ends: behind the first quote with an even number of backslashes before it. */
function endOfString(json: string, opening: number): number {
  for (let quote = json.indexOf('"', opening + 1); quote !== -1; quote = json.indexOf('"', quote + 1)) {
    let before = quote - 1;
    while (json.charCodeAt(before) === BACKSLASH) before -= 1;
    if ((quote - before) % 2 === 1) return quote + 1;
  }
  return json.length;
}

/** Whether the nearest double, written back in its shortest form, has the same value as the text. */
export function doubleHolds(text: string): boolean {
  const double = Number(text);
  return Number.isFinite(double) && decimalOf(text) === decimalOf(String(double));
}

/** One text for each decimal value: its digits without zeros around them, and the power of ten of the last. Zero has no sign. */
function decimalOf(text: string): string {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = (whole + fraction).replace(/^0+/, '');
  let length = digits.length;
  while (length > 0 && digits.charCodeAt(length - 1) === ZERO) length -= 1;
  if (length === 0) return '0';
  const power = Number(exponent) - fraction.length + digits.length - length;
  return `${mantissa.startsWith('-') ? '-' : ''}${digits.slice(0, length)}e${power}`;
}
