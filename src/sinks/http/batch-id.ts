import type { Origin } from '../../core/delivery.js';

/**
 * Names the values of one stream that go in one request: `kafka:chat/3+120-219` where it is every one of these offsets, else
 * with a hash of which ones, since a server that has seen a name drops what comes under it again.
 */
export function batchId(stream: string, origins: readonly Origin[]): string {
  const places = origins.map(placeOf);
  const [from, to] = [places[0] as string, places.at(-1) as string];
  if (origins.length === 1) return `${stream}+${from}`;
  const isRun = origins.every(({ offset, part, lastOffset }, n) => {
    return offset === (origins[0] as Origin).offset + n && part === undefined && lastOffset === undefined;
  });
  return isRun ? `${stream}+${from}-${to}` : `${stream}+${from}-${to}~${hashOf(places.join())}`;
}

function placeOf({ offset, lastOffset, part }: Origin): string {
  const last = lastOffset === undefined || lastOffset === offset ? '' : `-${lastOffset}`;
  return `${offset}${part === undefined ? '' : `.${part}`}${last}`;
}

/** 64 bits in base 36: FNV-1a from two starts, mixed at the end. */
function hashOf(text: string): string {
  let [one, two] = [0x811c9dc5, 0x9dc5811c];
  for (let at = 0; at < text.length; at += 1) {
    one = Math.imul(one ^ text.charCodeAt(at), 0x01000193);
    two = Math.imul(two ^ text.charCodeAt(at), 0x85ebca6b);
  }
  const mixed = [one ^ (two >>> 15), two ^ (one >>> 13)].map((half) =>
    (Math.imul(half, 0xc2b2ae35) >>> 0).toString(36),
  );
  return mixed.join('');
}
