import type { HttpBatch } from './parcel.js';

/**
 * The value of the header `Idempotency-Key` for a batch: its id, as a string of structured fields.
 *
 * Source: draft-ietf-httpapi-idempotency-key-header, section 2.1; RFC 9651, section 3.3.3.
 */
export function idempotencyKey({ id }: HttpBatch): string {
  return `"${id.replace(/[^\x20-\x7e]|["\\%]/gu, encodeURIComponent)}"`;
}
