/** The most layouts, and texts looked at for a new one, before the layouts are forgotten. */
const MAX_LAYOUTS = 64;
const MAX_LEARNED = 1_024;
/** So many texts in a row without a known layout, and the next ones are not tried. */
const MISSES_IN_A_ROW = 16;
const NOT_TRIED = 2_000;
const MAX_FIELDS = 128;
/** So many digits always fit a double, with a point among them too. */
const MAX_DIGITS = 15;
/** From so many characters on V8 makes a view of a part of a text, and the part keeps the whole alive. */
const LEAST_VIEW = 13;

const [QUOTE, MINUS, POINT, ZERO, NINE] = [0x22, 0x2d, 0x2e, 0x30, 0x39];
const [OPENING, CLOSING, LINE_FEED, RETURN, SPACE] = [0x7b, 0x7d, 0x0a, 0x0d, 0x20];
const [TRUE, FALSE, NULL] = ['true', 'false', 'null'].map((word) => Buffer.from(word)) as [Buffer, Buffer, Buffer];

/** What a byte within a string is. */
const [PLAIN, END, WIDE, ESCAPE, CONTROL] = [0, 1, 2, 3, 4];
const CLASS_OF = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte < SPACE) return CONTROL;
  if (byte === QUOTE) return END;
  return byte === 0x5c ? ESCAPE : byte < 0x80 ? PLAIN : WIDE;
});

/** Kinds of fields. */
const [ASCII, UTF8, ESCAPED, NUMBER, CONSTANT] = [0, 1, 2, 3, 4];

/** The bytes between two values, with what may follow the next one: a tree, in which each whole layout is a leaf. */
interface Step {
  readonly bytes: Uint8Array;
  readonly next: Step[];
  /** Where the text ends here. */
  layout: Layout | undefined;
}

interface Layout {
  readonly names: readonly string[];
  /** An object of these names, which copies share the shape of. */
  readonly empty: Readonly<Record<string, unknown>>;
  /** Whether it has a line break, or white space at its end. */
  readonly isLine: boolean;
}

/**
 * Reads JSON objects whose names and white space are, byte by byte, those of one that was seen before, as most in a topic are:
 * `{"id":…,"at":…}`. Only the values differ, so one pass over the bytes finds them, and gives the object that `JSON.parse` gives.
 * It is quicker than that, above all since V8 keeps each short text that it parses in a table of its own.
 *
 * Objects of texts, numbers of at most 15 digits, `true`, `false` and `null` are read. Anything else is `undefined`, for
 * `JSON.parse` to read or to reject: what is nested, an exponent, a repeated name, what is not JSON or not UTF-8.
 *
 * Bounds: 64 layouts of at most 128 fields. Where most texts have none of them, 16 in 2,000 are looked at.
 */
export class JsonLayouts {
  #root: Step = step(new Uint8Array(0));
  #layouts = 0;
  #learned = 0;
  #missesInARow = 0;
  #notTried = 0;
  /** Of what `read` gave last: whether its text is one line without white space at its end. */
  isLine = false;
  // Of the fields of the text that is read, by their order. Typed: nothing is allocated, and nothing is kept.
  readonly #starts = new Uint32Array(MAX_FIELDS);
  readonly #ends = new Uint32Array(MAX_FIELDS);
  readonly #kinds = new Uint8Array(MAX_FIELDS);
  readonly #numbers = new Float64Array(MAX_FIELDS);

  read(json: Buffer): Readonly<Record<string, unknown>> | undefined {
    if (this.#notTried > 0) {
      this.#notTried -= 1;
      return undefined;
    }
    const layout = this.#scan(json);
    const value = layout === undefined ? undefined : this.#made(json, layout);
    if (value === undefined) this.#missed();
    else this.#missesInARow = 0;
    this.isLine = layout?.isLine ?? false;
    return value;
  }

  /** Remembers the layout of a text that `read` gave nothing for; `value` is what `JSON.parse` gave. */
  learn(json: Buffer, value: unknown): void {
    if (this.#notTried > 0 || this.#layouts >= MAX_LAYOUTS || this.#learned >= MAX_LEARNED) return;
    this.#learned += 1;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    const names = Object.keys(value);
    // A number as name comes first in an object, wherever it is in the text; `__proto__` cannot be assigned.
    if (names.length > MAX_FIELDS || names.some((name) => name === '__proto__' || /^\d/.test(name))) return;
    const between = betweenValues(json);
    // Fewer names than values: one is repeated.
    if (between === undefined || between.length !== names.length + 1) return;
    let at = this.#root;
    for (const bytes of between) at = nextStep(at, bytes);
    if (at.layout !== undefined) return;
    this.#layouts += 1;
    this.#missesInARow = 0;
    const last = between.at(-1) as Uint8Array;
    const isLine =
      last[last.length - 1] === CLOSING &&
      !between.some((bytes) => bytes.includes(LINE_FEED) || bytes.includes(RETURN));
    at.layout = { names, empty: Object.fromEntries(names.map((name) => [name, undefined])), isLine };
  }

  #missed(): void {
    this.#missesInARow += 1;
    if (this.#missesInARow < MISSES_IN_A_ROW) return;
    // They may have changed with a new version of the producer.
    this.#missesInARow = 0;
    this.#notTried = NOT_TRIED;
    this.#root = step(new Uint8Array(0));
    this.#layouts = 0;
    this.#learned = 0;
  }

  /** Finds the values. */
  #scan(json: Buffer): Layout | undefined {
    const { length } = json;
    let at = 0;
    let from = this.#root;
    for (let field = 0; ; field += 1) {
      const to = stepAt(from.next, json, at);
      if (to === undefined) return undefined;
      at += to.bytes.length;
      if (at === length) return to.layout;
      const end = field < MAX_FIELDS ? this.#value(json, at, field) : 0;
      if (end === 0) return undefined;
      at = end;
      from = to;
    }
  }

  /** Where the value that begins there ends; 0 where it is none that is read here. */
  #value(json: Buffer, start: number, field: number): number {
    const first = json[start] as number;
    if (first === QUOTE) return this.#string(json, start + 1, field);
    if (first === MINUS || (first >= ZERO && first <= NINE)) return this.#number(json, start, field);
    const word = first === TRUE[0] ? TRUE : first === FALSE[0] ? FALSE : first === NULL[0] ? NULL : undefined;
    if (word === undefined || !isAt(word, json, start)) return 0;
    this.#kinds[field] = CONSTANT;
    this.#starts[field] = start;
    return start + word.length;
  }

  #string(json: Buffer, start: number, field: number): number {
    const { length } = json;
    let at = start;
    let kind = ASCII;
    for (; ; at += 1) {
      // In a loop of its own, since almost all bytes are plain.
      while (at < length && CLASS_OF[json[at] as number] === PLAIN) at += 1;
      if (at >= length) return 0;
      const its = CLASS_OF[json[at] as number];
      if (its === END) break;
      if (its === CONTROL) return 0;
      if (its === ESCAPE) {
        kind = ESCAPED;
        at += 1;
      } else if (kind === ASCII) {
        kind = UTF8;
      }
    }
    this.#starts[field] = start;
    this.#ends[field] = at;
    this.#kinds[field] = kind;
    return at + 1;
  }

  #number(json: Buffer, start: number, field: number): number {
    const isNegative = json[start] === MINUS;
    const first = isNegative ? start + 1 : start;
    let at = first;
    let digits = 0;
    let whole = 0;
    for (; isDigit(json[at]); at += 1) whole = whole * 10 + (json[at] as number) - ZERO;
    digits = at - first;
    if (digits === 0 || digits > MAX_DIGITS || (digits > 1 && json[first] === ZERO)) return 0;
    if (json[at] === POINT) {
      const point = at;
      for (at += 1; isDigit(json[at]); at += 1) whole = whole * 10 + (json[at] as number) - ZERO;
      const decimals = at - point - 1;
      if (decimals === 0 || digits + decimals > MAX_DIGITS) return 0;
      // Both are exact, so what is divided is the nearest double. Source: Clinger, How to read floating point numbers accurately.
      whole /= 10 ** decimals;
    }
    this.#kinds[field] = NUMBER;
    this.#numbers[field] = isNegative ? -whole : whole;
    return at;
  }

  #made(json: Buffer, { names, empty }: Layout): Readonly<Record<string, unknown>> | undefined {
    const value: Record<string, unknown> = { ...empty };
    // As Latin-1 a text has a character for each byte.
    let text: string | undefined;
    for (let field = 0; field < names.length; field += 1) {
      const [start, end] = [this.#starts[field] as number, this.#ends[field] as number];
      const name = names[field] as string;
      const kind = this.#kinds[field];
      if (kind === ASCII) {
        if (end - start >= LEAST_VIEW) value[name] = json.toString('latin1', start, end);
        else {
          text ??= json.toString('latin1');
          value[name] = text.slice(start, end);
        }
      } else if (kind === NUMBER) {
        value[name] = this.#numbers[field];
      } else if (kind === CONSTANT) {
        value[name] = json[start] === TRUE[0] ? true : json[start] === FALSE[0] ? false : null;
      } else {
        const part = kind === UTF8 ? wideOf(json, start, end) : unescapedOf(json, start, end);
        if (part === undefined) return undefined;
        value[name] = part;
      }
    }
    return value;
  }
}

function step(bytes: Uint8Array): Step {
  return { bytes, next: [], layout: undefined };
}

function nextStep({ next }: Step, bytes: Uint8Array): Step {
  let found = next.find((one) => Buffer.compare(one.bytes, bytes) === 0);
  if (found === undefined) {
    found = step(Uint8Array.from(bytes));
    next.push(found);
    // One may be the beginning of another: with a space more, for example.
    next.sort((a, b) => b.bytes.length - a.bytes.length);
  }
  return found;
}

function stepAt(next: readonly Step[], json: Buffer, at: number): Step | undefined {
  for (let n = 0; n < next.length; n += 1) {
    const one = next[n] as Step;
    if (isAt(one.bytes, json, at)) return one;
  }
  return undefined;
}

function isAt(bytes: Uint8Array, json: Buffer, at: number): boolean {
  const { length } = bytes;
  if (at + length > json.length) return false;
  for (let n = 0; n < length; n += 1) if (json[at + n] !== bytes[n]) return false;
  return true;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

/** With U+FFFD in it, it may be what is not UTF-8. */
function wideOf(json: Buffer, start: number, end: number): string | undefined {
  const text = json.toString('utf8', start, end);
  return text.includes('\ufffd') ? undefined : text;
}

function unescapedOf(json: Buffer, start: number, end: number): string | undefined {
  const text = wideOf(json, start - 1, end + 1);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The bytes before, between and behind the values of an object, of a valid JSON text; undefined where one of them has parts. */
function betweenValues(json: Buffer): Uint8Array[] | undefined {
  const between: Uint8Array[] = [];
  let from = 0;
  let at = json.indexOf(OPENING) + 1;
  for (;;) {
    while (at < json.length && json[at] !== QUOTE) at += 1;
    if (at >= json.length) break;
    at = endOfText(json, at);
    while (json[at] !== 0x3a) at += 1;
    at += 1;
    while (CLASS_OF[json[at] as number] === CONTROL || json[at] === SPACE) at += 1;
    between.push(json.subarray(from, at));
    if (json[at] === OPENING || json[at] === 0x5b) return undefined;
    if (json[at] === QUOTE) at = endOfText(json, at);
    else while (/[\w.+-]/.test(String.fromCharCode(json[at] as number))) at += 1;
    from = at;
  }
  between.push(json.subarray(from));
  return between;
}

/** Behind the string that begins there. */
function endOfText(json: Buffer, start: number): number {
  let at = start + 1;
  while (json[at] !== QUOTE) at += json[at] === 0x5c ? 2 : 1;
  return at + 1;
}
