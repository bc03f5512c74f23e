import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { timeOfDayMs } from '../core/clock.js';
import { expectFunction, expectOneOf, expectOption, expectText, withDefaults } from '../core/options.js';
import type { Delivery } from '../delivery/delivery.js';
import type { FlumeEvent } from '../formats/flume-event.js';
import { hostAddress } from './flume-path.js';

/** For `mapValue`: an event made of an event. */
export type Interceptor = (event: FlumeEvent, delivery?: Delivery<FlumeEvent>) => FlumeEvent;

export interface HeaderOptions {
  /** The header to set. */
  readonly header?: string;
  /** Whether an event that has the header keeps its value. Default false. */
  readonly preserveExisting?: boolean;
}

/** The defaults of `timestampHeader`, `hostHeader` and `uuidHeader`. */
export const HEADER_DEFAULTS = { preserveExisting: false } as const satisfies HeaderOptions;

/**
 * Sets a header, default `timestamp`, to the time in milliseconds, as Flume's interceptor `timestamp` does.
 *
 * ```ts
 * import { timestampHeader } from 'rxflume/flume';
 *
 * const stamp = timestampHeader({ preserveExisting: true });
 * stamp({ headers: { timestamp: '1700000000000' }, body: Buffer.from('hi') }).headers; // → { timestamp: '1700000000000' }
 * ```
 *
 * Fails: `OptionError` at the call.
 * Source: Flume 1.11, `TimestampInterceptor`.
 */
export function timestampHeader(options: HeaderOptions = {}): Interceptor {
  return headerOf('timestampHeader', 'timestamp', options, () => String(timeOfDayMs()));
}

/**
 * Sets a header, default `host`, to this machine's address, or with `use: 'name'` its name, as Flume's interceptor `host` does.
 *
 * ```ts
 * import { hostHeader } from 'rxflume/flume';
 *
 * hostHeader({ use: 'name' })({ headers: { host: 'a' }, body: Buffer.from('hi') }).headers.host === 'a'; // → false
 * ```
 *
 * Fails: `OptionError` at the call.
 * Source: Flume 1.11, `HostInterceptor`.
 */
export function hostHeader(options: HeaderOptions & { readonly use?: 'address' | 'name' } = {}): Interceptor {
  const { use = 'address', ...header } = options;
  expectOneOf('use', use, ['address', 'name']);
  const host = use === 'name' ? hostname() : hostAddress();
  return headerOf('hostHeader', 'host', header, () => host);
}

/**
 * Sets a header, default `id`, to a random UUID, as Flume's `UUIDInterceptor` does. A record that is redelivered gets another: to find
 * doubles, use the stream and the offset of `delivery.origin`.
 *
 * ```ts
 * import { uuidHeader } from 'rxflume/flume';
 *
 * uuidHeader({ prefix: 'e-' })({ headers: {}, body: Buffer.from('hi') }).headers.id?.length; // → 38
 * ```
 *
 * Fails: `OptionError` at the call.
 * Source: Flume 1.11, `UUIDInterceptor`.
 */
export function uuidHeader(options: HeaderOptions & { readonly prefix?: string } = {}): Interceptor {
  const { prefix = '', ...header } = options;
  expectOption('prefix', prefix, typeof prefix === 'string', 'a text');
  return headerOf('uuidHeader', 'id', { preserveExisting: true, ...header }, () => prefix + randomUUID());
}

/**
 * Sets a header to a value, where the event does not have it, as Flume's interceptor `static` does.
 *
 * ```ts
 * import { staticHeader } from 'rxflume/flume';
 *
 * staticHeader('dc', 'eu1')({ headers: {}, body: Buffer.from('hi') }).headers; // → { dc: 'eu1' }
 * ```
 *
 * Fails: `OptionError` at the call.
 * Source: Flume 1.11, `StaticInterceptor`, whose `preserveExisting` is true by default.
 */
export function staticHeader(
  header: string,
  value: string,
  { preserveExisting = true }: Omit<HeaderOptions, 'header'> = {},
): Interceptor {
  expectOption('value', value, typeof value === 'string', 'a text');
  return headerOf('staticHeader', header, { preserveExisting }, () => value);
}

/**
 * Removes the header of a name, those of a list, or those whose name matches as a whole, as Flume's interceptor `remove_header` does.
 *
 * ```ts
 * import { removeHeaders } from 'rxflume/flume';
 *
 * removeHeaders(['secret', /^x-.*$/])({ headers: { a: '1', secret: '2', 'x-b': '3' }, body: Buffer.from('hi') }).headers; // → { a: '1' }
 * ```
 *
 * Fails: `OptionError` at the call.
 * Source: Flume 1.11, `RemoveHeaderInterceptor`.
 */
export function removeHeaders(names: readonly (string | RegExp)[]): Interceptor {
  const holds = Array.isArray(names) && names.every((name) => typeof name === 'string' || name instanceof RegExp);
  expectOption('names', names, holds, 'a list of names and regular expressions');
  const texts = new Set(names.filter((name) => typeof name === 'string'));
  const patterns = names.filter((name) => name instanceof RegExp).map(stateless);
  const goes = (name: string) => texts.has(name) || patterns.some((pattern) => pattern.test(name));
  return ({ headers, body }) => ({
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !goes(name))),
    body,
  });
}

/**
 * Replaces what matches in the body, all of it, as Flume's interceptor `search_replace` does. `$1` is a group, as in Java.
 *
 * ```ts
 * import { searchReplace } from 'rxflume/flume';
 *
 * const { body } = searchReplace(/\d{16}/, '****')({ headers: {}, body: Buffer.from('card 4111111111111111') });
 * Buffer.from(body).toString(); // → 'card ****'
 * ```
 *
 * Fails: `OptionError` at the call.
 * Source: Flume 1.11, `SearchAndReplaceInterceptor`.
 */
export function searchReplace(search: RegExp, replacement: string, charset: BufferEncoding = 'utf8'): Interceptor {
  expectOption('search', search, search instanceof RegExp, 'a regular expression');
  expectOption('replacement', replacement, typeof replacement === 'string', 'a text');
  expectOption('charset', charset, Buffer.isEncoding(charset), 'an encoding of Node, such as utf8 or latin1');
  const all = new RegExp(search.source, `${search.flags.replace(/[gy]/g, '')}g`);
  return ({ headers, body }) => ({
    headers,
    body: Buffer.from(bodyText(body, charset).replace(all, replacement), charset),
  });
}

/**
 * Sets headers to the groups of the first match in the body, in order, as Flume's interceptor `regex_extractor` does. Each is a name, or a
 * name with a function that makes the header's value of the group's.
 *
 * ```ts
 * import { regexExtractor } from 'rxflume/flume';
 *
 * const extract = regexExtractor(/^(\S+) (\d+)/, ['host', { header: 'timestamp', of: (seconds) => `${seconds}000` }]);
 * extract({ headers: {}, body: Buffer.from('web1 1700000000 GET /') }).headers; // → { host: 'web1', timestamp: '1700000000000' }
 * ```
 *
 * Fails: `OptionError` at the call.
 * Source: Flume 1.11, `RegexExtractorInterceptor`.
 */
export function regexExtractor(
  regex: RegExp,
  headers: readonly (string | { readonly header: string; readonly of: (group: string) => string })[],
): Interceptor {
  expectOption('regex', regex, regex instanceof RegExp, 'a regular expression');
  expectOption('headers', headers, Array.isArray(headers) && headers.length > 0, 'a list with a header for each group');
  const named = headers.map((one) => (typeof one === 'string' ? { header: one, of: (group: string) => group } : one));
  for (const { header, of } of named) {
    expectText('header', header);
    expectFunction('of', of);
  }
  const first = stateless(regex);
  return (event) => {
    const groups = first.exec(bodyText(event.body, 'utf8'));
    if (groups === null) return event;
    const found = named.flatMap(({ header, of }, at) => {
      const group = groups[at + 1];
      return group === undefined ? [] : [[header, of(group)] as const];
    });
    return { headers: { ...event.headers, ...Object.fromEntries(found) }, body: event.body };
  };
}

/**
 * For `filterValue`: whether the regular expression is found in the body, as Flume's interceptor `regex_filter` looks for it.
 *
 * ```ts
 * import { bodyMatches } from 'rxflume/flume';
 *
 * bodyMatches(/ERROR/)({ headers: {}, body: Buffer.from('12:00 ERROR disk') }); // → true
 * ```
 *
 * Fails: `OptionError` at the call.
 * Source: Flume 1.11, `RegexFilteringInterceptor`.
 */
export function bodyMatches(regex: RegExp): (event: FlumeEvent) => boolean {
  expectOption('regex', regex, regex instanceof RegExp, 'a regular expression');
  const one = stateless(regex);
  return ({ body }) => one.test(bodyText(body, 'utf8'));
}

/** The same, which forgets where it found something: with `g` or `y` each call would go on from there. */
function stateless(regex: RegExp): RegExp {
  return new RegExp(regex.source, regex.flags.replace(/[gy]/g, ''));
}

function bodyText(body: Uint8Array, charset: BufferEncoding): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString(charset);
}

function headerOf(name: string, byDefault: string, options: HeaderOptions, made: () => string): Interceptor {
  const { header, preserveExisting } = withDefaults(
    `${name} options`,
    { header: byDefault, ...HEADER_DEFAULTS },
    options,
  );
  expectText('header', header);
  expectOption('preserveExisting', preserveExisting, typeof preserveExisting === 'boolean', 'true or false');
  return (event) => {
    if (preserveExisting && Object.hasOwn(event.headers, header)) return event;
    return { headers: { ...event.headers, [header]: made() }, body: event.body };
  };
}

/**
 * For `filterValue`: the opposite of a predicate, as `excludeEvents` of Flume's interceptor `regex_filter` has it.
 *
 * ```ts
 * import { bodyMatches, not } from 'rxflume/flume';
 *
 * not(bodyMatches(/DEBUG/))({ headers: {}, body: Buffer.from('12:00 ERROR disk') }); // → true
 * ```
 */
export function not<T>(holds: (value: T) => boolean): (value: T) => boolean {
  return (value) => !holds(value);
}
