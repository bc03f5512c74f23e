/** Numbers in [0, 1) that the seed decides (mulberry32). */
export function chanceOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Runs with a `Math.random` that the seed decides, as virtual time has a clock of its own: names and jitter repeat. */
export function withChance<T>(seed: number, run: () => T): T {
  const random = Math.random;
  Math.random = chanceOf(seed);
  try {
    return run();
  } finally {
    Math.random = random;
  }
}
