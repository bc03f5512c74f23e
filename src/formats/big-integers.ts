import { endOfString, isNumberStart, numberAt } from '../core/json-tokens.js';

/** The most characters of an integer that becomes a BigInt: the time to read one and to write it grows faster than it. */
const MAX_DIGITS = 1_000;

const INTEGER = /^-?\d+$/;

/** Whether a number of a JSON text is an integer beyond ±(2^53 − 1), of a length that is still read. */
export function isLargeInteger(number: string): boolean {
  return number.length <= MAX_DIGITS && INTEGER.test(number) && !Number.isSafeInteger(Number(number));
}

type Holder = unknown[] | Record<string, unknown>;

/** What `JSON.parse` makes of a valid JSON text, with the numbers by `numberOf`; several times slower. */
export function parseNumbersWith(json: string, numberOf: (number: string) => unknown): unknown {
  const root: unknown[] = [];
  const open: Holder[] = [root];
  let name: string | undefined;
  const put = (value: unknown) => {
    const holder = open[open.length - 1] as Holder;
    if (Array.isArray(holder)) holder.push(value);
    // An assignment to `__proto__` would set the prototype.
    else Object.defineProperty(holder, name as string, { value, writable: true, enumerable: true, configurable: true });
    name = undefined;
  };
  for (let at = 0; at < json.length; at += 1) {
    const char = json[at] as string;
    if (char === '"') {
      const end = endOfString(json, at);
      const text: string = JSON.parse(json.slice(at, end));
      if (name === undefined && !Array.isArray(open[open.length - 1])) name = text;
      else put(text);
      at = end - 1;
    } else if (char === '{' || char === '[') {
      const made: Holder = char === '{' ? {} : [];
      put(made);
      open.push(made);
    } else if (char === '}' || char === ']') {
      open.pop();
    } else if (isNumberStart(char.charCodeAt(0))) {
      const number = numberAt(json, at);
      put(numberOf(number));
      at += number.length - 1;
    } else if (LITERALS.has(char)) {
      const [value, length] = LITERALS.get(char) as readonly [unknown, number];
      put(value);
      at += length - 1;
    }
  }
  return root[0];
}

const LITERALS = new Map<string, readonly [value: unknown, length: number]>([
  ['t', [true, 4]],
  ['f', [false, 5]],
  ['n', [null, 4]],
]);
