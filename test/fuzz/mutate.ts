import type { Random } from './random.js';

/** Lengths and counts that are too large, in the forms that formats write them: zigzag and plain varints, 16 to 64 bits. */
const BLOWN_UP = [
  'feffffff0f',
  'ffffffff0f',
  'feffffffffffffffff01',
  'ffffffffffffffffff01',
  '80808080808080808080',
  'ffff',
  'ffffffff',
  '7fffffff',
  'ffffff7f',
  'ffffffffffffffff',
  '00000000',
].map((hex) => Buffer.from(hex, 'hex'));

/** Damages bytes in up to four ways: cut, flipped, overwritten, put in, left out, repeated, spliced with others, lengths blown up. */
export function mutated(bytes: Buffer, other: Buffer, random: Random): Buffer {
  let damaged: Buffer = Buffer.from(bytes);
  for (let times = 1 + random.below(4); times > 0; times -= 1) damaged = once(damaged, other, random);
  return damaged;
}

function once(bytes: Buffer, other: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length + 1);
  const [before, behind] = [bytes.subarray(0, at), bytes.subarray(at)];
  const length = random.below(8);
  switch (random.below(8)) {
    case 0:
      return before;
    case 1: {
      const flipped = Buffer.from(bytes);
      if (at < flipped.length) flipped[at] = (flipped[at] as number) ^ (1 << random.below(8));
      return flipped;
    }
    case 2:
      return Buffer.concat([before, random.bytes(length), behind.subarray(length)]);
    case 3:
      return Buffer.concat([before, random.bytes(length), behind]);
    case 4:
      return Buffer.concat([before, behind.subarray(length)]);
    case 5:
      return Buffer.concat([before, behind.subarray(0, 64), behind]);
    case 6:
      return Buffer.concat([before, other.subarray(random.below(other.length + 1))]);
    default: {
      const size = random.pick(BLOWN_UP);
      return Buffer.concat([before, size, behind.subarray(random.chance(2) ? size.length : 1)]);
    }
  }
}
