import { createHash } from 'node:crypto';

/** Hexadecimal digits of the hash: 128 bits, so that nobody finds two texts with the same. */
const DIGITS = 32;

/**
 * Pieces of text, joined; where they have more than `most` bytes, as many of the first as leave room for `mark` and a hash of
 * all of them. `mark` must be something that unshortened texts never have, so that no two texts become the same.
 */
export function shortened(pieces: readonly string[], most: number, mark: string): string {
  const whole = pieces.join('');
  if (Buffer.byteLength(whole) <= most) return whole;
  let room = most - mark.length - DIGITS;
  const kept: string[] = [];
  for (const piece of pieces) {
    room -= Buffer.byteLength(piece);
    if (room < 0) break;
    kept.push(piece);
  }
  return `${kept.join('')}${mark}${hashOf(whole)}`;
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, DIGITS);
}
