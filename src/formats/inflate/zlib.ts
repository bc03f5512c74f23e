import zlib from 'node:zlib';
import { faultOf, InflateFault, MAX_PARTS } from './fault.js';

/** With `info`, Node gives what it read too. */
type Inflate = (from: Buffer, options: zlib.ZlibOptions & { readonly info: true }) => InflatedWithInfo;

interface InflatedWithInfo {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/** Node allocates this for each call, and holds it until the next turn where it fails; 16 KiB take three times as long for a small value. */
const [LEAST_CHUNK_BYTES, MOST_CHUNK_BYTES] = [1_024, 65_536];
/** What most payloads are compressed by, or less. */
const USUAL_RATIO = 4;

const INFLATE: Readonly<Record<'gzip' | 'deflate', Inflate>> = {
  gzip: zlib.gunzipSync as unknown as Inflate,
  deflate: zlib.inflateSync as unknown as Inflate,
};

/**
 * Inflates gzip members, or zlib streams, one after the other. Node ignores what is behind a zlib stream, and zeros behind a
 * member: here all bytes must belong to one.
 *
 * Bounds: stops as soon as it is more than `most`, and holds twice as much at most; 1,000 streams.
 * Source: RFC 1950, RFC 1952.
 */
export function inflateZlib(codec: 'gzip' | 'deflate', from: Buffer, most: number): Buffer {
  const parts: Buffer[] = [];
  let [at, length] = [0, 0];
  do {
    const part = inflateOne(codec, from.subarray(at), most - length);
    parts.push(part.buffer);
    length += part.buffer.length;
    at += part.engine.bytesWritten;
    if (parts.length > MAX_PARTS) throw new InflateFault(codec, 'corrupt');
  } while (at < from.length);
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, length);
}

function inflateOne(codec: 'gzip' | 'deflate', from: Buffer, room: number): InflatedWithInfo {
  try {
    // Node takes no limit of 0; the empty streams that then remain are as large as nothing.
    const chunkSize = Math.min(Math.max(from.length * USUAL_RATIO, LEAST_CHUNK_BYTES), MOST_CHUNK_BYTES);
    const inflated = INFLATE[codec](from, { maxOutputLength: Math.max(room, 1), chunkSize, info: true });
    if (inflated.buffer.length > room) throw new InflateFault(codec, 'too large');
    return inflated;
  } catch (error) {
    throw faultOf(codec, error);
  }
}
