import type { Origin } from '../../delivery/delivery.js';
import { Digest } from '../../delivery/digest.js';
import { isWhole, positionOf } from '../../delivery/origin-position.js';

/**
 * Names the values of one stream that go in one request: `kafka:chat/3+120-219` where it is every one of these offsets, else
 * with a hash of which ones, since a server that has seen a name drops what comes under it again.
 */
export function batchId(stream: string, origins: readonly Origin[]): string {
  const places = origins.map(positionOf);
  const [from, to] = [places[0] as string, places.at(-1) as string];
  if (origins.length === 1) return `${stream}+${from}`;
  const first = (origins[0] as Origin).offset;
  const { run } = origins[0] as Origin;
  const isRun = origins.every((origin, n) => origin.offset === first + n && origin.run === run && isWhole(origin));
  if (isRun) return `${stream}+${from}-${to}`;
  const digest = new Digest();
  for (const place of places) digest.addText(place);
  return `${stream}+${from}-${to}~${digest}`;
}
