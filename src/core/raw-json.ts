import { endOfString } from './json-tokens.js';

const [TAB, LINE_FEED, RETURN, SPACE] = [0x09, 0x0a, 0x0d, 0x20];

/**
 * A value with the JSON text it was read from. All that writes JSON writes the text as it came, with its digits, names and
 * order, and does not serialise the value again. A changed value is another one: a change made within `value` is not written.
 */
export class RawJson<T> {
  readonly value: T;
  readonly #json: Buffer;
  readonly #isLine: boolean;

  /** `json`: a valid JSON text in UTF-8, without a byte order mark; `isLine`: whether it is known to be what `line` gives. */
  constructor(value: T, json: Buffer, isLine = false) {
    this.value = value;
    this.#json = json;
    this.#isLine = isLine;
  }

  /** The text on one line: the bytes that came, unless there is a line break between two of their values. */
  line(): Buffer {
    if (this.#isLine) return this.#json;
    let end = this.#json.length;
    while (isWhite(this.#json[end - 1])) end -= 1;
    const json = this.#json.subarray(0, end);
    // Within a string a line break is an escape, or the text would be no JSON.
    return json.includes(LINE_FEED) || json.includes(RETURN) ? Buffer.from(compacted(json.toString())) : json;
  }

  /** What a value that holds this one is serialised with. */
  toJSON(): T {
    return this.value;
  }
}

function isWhite(char: number | undefined): boolean {
  return char === SPACE || char === LINE_FEED || char === RETURN || char === TAB;
}

/** A valid JSON text without white space between its values. */
function compacted(json: string): string {
  let compact = '';
  let from = 0;
  for (let at = 0; at < json.length; ) {
    if (json[at] === '"') {
      at = endOfString(json, at);
      continue;
    }
    if (isWhite(json.charCodeAt(at))) {
      compact += json.slice(from, at);
      from = at + 1;
    }
    at += 1;
  }
  return compact + json.slice(from);
}
