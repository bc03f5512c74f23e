import { isWellFormed } from '../../core/well-formed.js';
import type { HttpBatch } from './outgoing-batch.js';

/**
 * What cannot stand in the header as it is, and the percent sign, so that no two ids come to the same key. Half of a
 * surrogate pair has no UTF-8 form: it is written by its number.
 */
function escaped(one: string): string {
  return isWellFormed(one) ? encodeURIComponent(one) : `%u${one.charCodeAt(0).toString(16)}`;
}

/**
 * The value of the header `Idempotency-Key` for a batch: its id, as a string of structured fields.
 *
 * Source: draft-ietf-httpapi-idempotency-key-header, section 2.1; RFC 9651, section 3.3.3.
 */
export function idempotencyKey({ id }: HttpBatch): string {
  return `"${id.replace(/[^\x20-\x7e]|["\\%]/gu, escaped)}"`;
}
