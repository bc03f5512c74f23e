import type { HttpAnswer } from '../../ports/http-client.js';
import { retryAfterMs } from './retry-after.js';

/** What an answer means for the batch it is to. */
export type Verdict =
  /** It is stored. */
  | { readonly what: 'taken' }
  /** The same request may pass later, at the soonest after what the server asks for. */
  | { readonly what: 'again'; readonly afterMs: number }
  /** It is to be halved, and the halves sent one after the other. */
  | { readonly what: 'halve' }
  /** The values are at fault. */
  | { readonly what: 'rejected'; readonly why?: string }
  /** One value is larger than the server takes. */
  | { readonly what: 'tooLarge' }
  /** The server takes nothing from us there, whatever it is. */
  | { readonly what: 'denied' }
  /** It is to be sent elsewhere. */
  | { readonly what: 'elsewhere' };

export interface Judging {
  /** How many values the batch has. */
  readonly values: number;
  /** Whether it was sent with a key, so that 409 says that an earlier try of it is still being carried out. */
  readonly hasKey: boolean;
  readonly reject: 'batch' | 'value';
  readonly whyRejected: (answer: HttpAnswer) => string | undefined;
  readonly now: number;
}

/** Passes later: request timeout, too early, too many requests. */
const PASSING = [408, 425, 429];
/** Speaks of the values, and not of the URL or the credentials. */
const OF_THE_VALUES = [400, 409, 422];

/**
 * Judges an answer by its status.
 *
 * Source: RFC 9110, section 15; RFC 6585 (429); RFC 8470 (425); draft-ietf-httpapi-idempotency-key-header (409).
 */
export function verdictOf(answer: HttpAnswer, { values, hasKey, reject, whyRejected, now }: Judging): Verdict {
  const { status, headers } = answer;
  const rejected = (why?: string): Verdict => {
    if (reject === 'value' && values > 1) return { what: 'halve' };
    return why === undefined ? { what: 'rejected' } : { what: 'rejected', why };
  };
  if (status >= 200 && status < 300) {
    const why = whyRejected(answer);
    return why === undefined ? { what: 'taken' } : rejected(why);
  }
  if (status >= 300 && status < 400) return { what: 'elsewhere' };
  if (status >= 500 || PASSING.includes(status) || (status === 409 && hasKey)) {
    return { what: 'again', afterMs: retryAfterMs(headers['retry-after'], now) ?? 0 };
  }
  if (status === 413) return values > 1 ? { what: 'halve' } : { what: 'tooLarge' };
  return OF_THE_VALUES.includes(status) ? rejected() : { what: 'denied' };
}
