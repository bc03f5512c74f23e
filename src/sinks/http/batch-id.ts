import { isWellFormed } from '../../core/text.js';
import type { Origin } from '../../delivery/delivery.js';
import type { DeliveryBatch } from '../../delivery/delivery-batch.js';
import { Digest } from '../../delivery/digest.js';
import { isWhole, positionOf } from '../../delivery/origin-position.js';

/** What goes in one request, as the functions among the options see it. */
export interface HttpBatch {
  readonly stream: string;
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** How many values it holds. */
  readonly values: number;
  /** Names these values, such as `kafka:chat/3+120-219`: the same whenever they are sent together. */
  readonly id: string;
  /** Where the values come from, in their order. */
  readonly origins: readonly Origin[];
}

export function httpBatchOf({ stream, firstOffset, lastOffset, size, deliveries }: DeliveryBatch<unknown>): HttpBatch {
  const origins = deliveries.map(({ origin }) => origin);
  return { stream, firstOffset, lastOffset, values: size, id: batchId(stream, origins), origins };
}

/**
 * Names the values of one stream that go in one request: `kafka:chat/3+120-219` where it is every one of these offsets, else
 * with a hash of which ones, since a server that has seen a name drops what comes under it again.
 */
export function batchId(stream: string, origins: readonly Origin[]): string {
  const positions = origins.map(positionOf);
  const [from, to] = [positions[0] as string, positions.at(-1) as string];
  if (origins.length === 1) return `${stream}+${from}`;
  const first = (origins[0] as Origin).offset;
  const { run } = origins[0] as Origin;
  const isRun = origins.every((origin, n) => origin.offset === first + n && origin.run === run && isWhole(origin));
  if (isRun) return `${stream}+${from}-${to}`;
  const digest = new Digest();
  for (const position of positions) digest.addText(position);
  return `${stream}+${from}-${to}~${digest}`;
}

/**
 * The value of the header `Idempotency-Key` for a batch: its id, as a string of structured fields.
 *
 * Source: draft-ietf-httpapi-idempotency-key-header, section 2.1; RFC 9651, section 3.3.3.
 */
export function idempotencyKey({ id }: HttpBatch): string {
  return `"${id.replace(/[^\x20-\x7e]|["\\%]/gu, escaped)}"`;
}

/**
 * What a header cannot hold unchanged, and the percent sign, so that no two ids come to the same key. Half of a
 * surrogate pair has no UTF-8 form: it is written by its number.
 */
function escaped(one: string): string {
  return isWellFormed(one) ? encodeURIComponent(one) : `%u${one.charCodeAt(0).toString(16)}`;
}
