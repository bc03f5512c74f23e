import { describeError, describeValue, SinkError } from './errors.js';
import { RawJson } from './raw-json.js';

/** JSON.stringify writes `null` or `{}` for what JSON cannot hold, so only such a text needs a look at its value. */
const SUSPECT = /null|\{\}/;

/** Of these JSON.stringify writes their fields, and of what they hold nothing. */
const WITHOUT_FIELDS = new Set(
  'Map Set WeakMap WeakSet WeakRef Error RegExp Promise ArrayBuffer SharedArrayBuffer DataView'.split(' '),
);

/**
 * A value's JSON text, without a newline: the one rule of all that writes JSON. It is what `JSON.stringify` writes, and for
 * a BigInt its digits, where that is the value. A field that is undefined, a function or a symbol is left out, `-0` is `0`,
 * and what has a `toJSON` (a Date) is what that says. A value of `rawJson` is the text it was read from.
 *
 * ```ts
 * import { jsonText } from 'rxflume';
 *
 * jsonText({ id: 12345678901234567890n, at: new Date(0) }); // → '{"id":12345678901234567890,"at":"1970-01-01T00:00:00.000Z"}'
 * ```
 *
 * Fails: `RXF_SINK_FORMAT` for what has no JSON text, alone or in an array (undefined, a function, a symbol), for NaN, an
 * infinity, an invalid date, a Map, a Set and others that would be written as `{}`, and for a cycle.
 */
export function jsonText(value: unknown): string {
  if (value instanceof RawJson) return value.line().toString();
  const json = textOf(value);
  if (json === undefined) throw noJson(value);
  if (SUSPECT.test(json)) expectHeld(value);
  return json;
}

function textOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    // It throws for a BigInt, and for what this throws for too.
    try {
      return withBigInts({ '': value }, '', new Set());
    } catch (cause) {
      throw new SinkError('RXF_SINK_FORMAT', `Cannot write a value as JSON: ${describeError(cause)}.`, { cause });
    }
  }
}

/** A part by the rules of JSON.stringify. Source: ECMA-262, SerializeJSONProperty. */
function withBigInts(holder: object, key: string, open: Set<object>): string | undefined {
  const given = (holder as Record<string, unknown>)[key];
  const { toJSON } = (given ?? {}) as { readonly toJSON?: unknown };
  const value: unknown = Object(given) === given && typeof toJSON === 'function' ? toJSON.call(given, key) : given;
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (/^(Number|String|Boolean)$/.test(tagOf(value))) return JSON.stringify(value);
  if (open.has(value)) throw new TypeError('it contains itself (a cycle)');
  open.add(value);
  const part = (name: string) => withBigInts(value, name, open);
  const text = Array.isArray(value)
    ? `[${Array.from(value, (_, at) => part(String(at)) ?? 'null').join(',')}]`
    : `{${Object.keys(value)
        .flatMap((name) => fieldOf(name, part(name)))
        .join(',')}}`;
  open.delete(value);
  return text;
}

function fieldOf(name: string, json: string | undefined): string[] {
  return json === undefined ? [] : [`${JSON.stringify(name)}:${json}`];
}

/** Throws for the first part that was written as another value. A part with a `toJSON` of its own is what that says. */
function expectHeld(value: unknown): void {
  const rest: unknown[] = [value];
  while (rest.length > 0) {
    const part = rest.pop();
    if (typeof part === 'number' && !Number.isFinite(part)) throw noJson(part);
    if (typeof part !== 'object' || part === null) continue;
    if (part instanceof Date && Number.isNaN(part.getTime())) throw noJson(part);
    if (typeof (part as { toJSON?: unknown }).toJSON === 'function') continue;
    if (!Array.isArray(part)) {
      const fields = Object.values(part);
      if (fields.length === 0 && WITHOUT_FIELDS.has(tagOf(part))) throw noJson(part);
      for (const each of fields) rest.push(each);
    } else {
      for (const each of part) {
        if (each === undefined || typeof each === 'function' || typeof each === 'symbol') throw noJson(each);
        rest.push(each);
      }
    }
  }
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

function noJson(value: unknown): SinkError {
  return new SinkError(
    'RXF_SINK_FORMAT',
    `Cannot write ${describeValue(value)} (${typeof value}) as JSON: it has no JSON form. Map it to a JSON value before the sink.`,
  );
}
