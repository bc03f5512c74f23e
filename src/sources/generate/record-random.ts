const GOLDEN = 0x9e3779b9;

/**
 * Random numbers in [0, 1) for one record, which the seed and the record's sequence number alone decide: a record is the same, however
 * many numbers those before it took.
 */
export function recordRandom(seed: number, seq: number): () => number {
  let state = mixed(mixed(seed ^ GOLDEN) ^ (seq >>> 0)) ^ mixed(Math.floor(seq / 2 ** 32));
  return () => {
    state = (state + GOLDEN) | 0;
    return (mixed(state) >>> 0) / 2 ** 32;
  };
}

/** Each bit of the result depends on each bit of the number (the finalizer of MurmurHash3). */
function mixed(number: number): number {
  let bits = number | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
