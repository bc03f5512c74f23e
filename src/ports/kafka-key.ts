const SEED = 0x9747b28c;
const MIX = 0x5bd1e995;

/**
 * Where a key belongs, the same partition as with Kafka's own producers.
 *
 * ```ts
 * import { partitionOfKey } from 'rxflume/ports';
 *
 * partitionOfKey(Buffer.from('user-1'), 12); // → 8
 * ```
 *
 * Source: org.apache.kafka.common.utils.Utils.murmur2, and BuiltInPartitioner.partitionForKey.
 */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

function murmur2(bytes: Uint8Array): number {
  const whole = bytes.length & ~3;
  let hash = SEED ^ bytes.length;
  for (let at = 0; at < whole; at += 4) {
    let word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    word = Math.imul(word, MIX);
    word = Math.imul(word ^ (word >>> 24), MIX);
    hash = Math.imul(hash, MIX) ^ word;
  }
  const left = bytes.length - whole;
  if (left > 2) hash ^= (bytes[whole + 2] as number) << 16;
  if (left > 1) hash ^= (bytes[whole + 1] as number) << 8;
  if (left > 0) hash = Math.imul(hash ^ (bytes[whole] as number), MIX);
  hash = Math.imul(hash ^ (hash >>> 13), MIX);
  return hash ^ (hash >>> 15);
}
