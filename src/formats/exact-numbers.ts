/** A number of a JSON text, and where it stands. */
export interface PlacedNumber {
  readonly text: string;
  readonly offset: number;
}

/** A number of up to 15 characters without an exponent always survives, so most texts cost this one look. */
const SUSPECT = /\d[\d.]{15}|\d[eE]/;

/** The first number of a valid JSON text that a double does not hold, if there is one. */
export function firstInexact(json: string): PlacedNumber | undefined {
  return SUSPECT.test(json) ? findInexact(json) : undefined;
}

function findInexact(json: string): PlacedNumber | undefined {
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

const [QUOTE, MINUS, ZERO, NINE, BACKSLASH] = [34, 45, 48, 57, 92];

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
