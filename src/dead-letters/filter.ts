import { expectKnown, expectOption, expectText } from '../core/options.js';
import type { StoredDeadLetter } from './dead-letter-store.js';

/** Which dead letters are meant: those that fit all that is given. */
export interface DeadLetterFilter {
  /** The code of the error, or of one behind it. */
  readonly code?: string;
  /** What the message, the key or the value contains. */
  readonly contains?: string;
  /** Set aside at this time or later, in milliseconds since 1970. */
  readonly since?: number;
  /** The stream of the record, such as `kafka:chat/3`; or all that begin so, with `*` at the end. */
  readonly stream?: string;
  /** The flow that set it aside. */
  readonly flow?: string;
  /** These alone, as `place` names them. */
  readonly places?: readonly string[];
}

/** Checks a filter, and makes a function of it. Throws `OptionError`. */
export function matching(filter: DeadLetterFilter = {}): (letter: StoredDeadLetter) => boolean {
  expectKnown('filter', filter, ['code', 'contains', 'since', 'stream', 'flow', 'places']);
  const { code, contains, since, stream, flow, places } = filter;
  for (const [name, text] of Object.entries({ code, contains, stream, flow })) {
    if (text !== undefined) expectText(`filter.${name}`, text);
  }
  expectOption('filter.since', since, since === undefined || Number.isFinite(since), 'milliseconds since 1970');
  expectOption('filter.places', places, places === undefined || Array.isArray(places), 'a list of places');
  const wanted = places === undefined ? undefined : new Set(places);
  return ({ place, letter }) =>
    (wanted === undefined || wanted.has(place)) &&
    (code === undefined || letter.code === code || letter.causes.some((cause) => cause.code === code)) &&
    (contains === undefined || [letter.message, letter.key, letter.value].some((text) => text?.includes(contains))) &&
    (since === undefined || Date.parse(letter.setAsideAt) >= since) &&
    (stream === undefined || fits(letter.stream, stream)) &&
    (flow === undefined || letter.flow === flow);
}

function fits(stream: string, pattern: string): boolean {
  return pattern.endsWith('*') ? stream.startsWith(pattern.slice(0, -1)) : stream === pattern;
}
