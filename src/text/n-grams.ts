import { CLASSES, FOLDED, IDEOGRAPH, LETTER, SPACE } from './characters.js';

/** What texts are cut into, which a model keeps: texts are scored as they were in training. */
export interface NGramForm {
  /** Hashes have this many bits: a label has 2^bits weights. */
  readonly bits: number;
  /** Of a longer text only the beginning is read, in UTF-16 units. */
  readonly maxCharacters: number;
}

/** Where an n-gram is in its text, as of `slice`. */
export interface Place {
  readonly index: number;
  readonly from: number;
  readonly to: number;
}

const MULTIPLIER = 0x9e37_79b1 | 0;
/** A word, a pair of words, and four characters within a word and the marks around it. */
const MAX_GRAMS_PER_UNIT = 3;

/**
 * Cuts texts into n-grams, hashed to indices of weights: words, pairs of words, and four characters within a word. Each Han character and
 * each kana is a word, so no segmenter is needed; so is each punctuation mark, for emoticons.
 *
 * Bounds: one buffer of 12 bytes for each of `maxCharacters`, made once; nothing is allocated per text.
 * Source: hashing of features, Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009.
 */
export class NGrams {
  /** The indices of the last text; those before the count that `cut` returned are valid. */
  readonly indices: Int32Array;
  readonly #shift: number;
  readonly #maxCharacters: number;
  #count = 0;
  #places: Place[] | undefined;

  constructor({ bits, maxCharacters }: NGramForm) {
    this.#shift = 32 - bits;
    this.#maxCharacters = maxCharacters;
    this.indices = new Int32Array((maxCharacters + 1) * MAX_GRAMS_PER_UNIT);
  }

  /** Fills `indices` with those of the text, and returns how many there are. One that is there twice counts twice. */
  cut(text: string): number {
    const end = Math.min(text.length, this.#maxCharacters);
    this.#count = 0;
    // Of the word so far, and of the word before; 0: none.
    let word = 0;
    let wordFrom = 0;
    let before = 0;
    let beforeFrom = 0;
    // Of the last one to three characters of a run.
    let one = 0;
    let two = 0;
    let three = 0;
    let run = 0;
    for (let at = 0; at <= end; at += 1) {
      const unit = at < end ? text.charCodeAt(at) : 0x20;
      const folded = FOLDED[unit] as number;
      const kind = CLASSES[unit] as number;
      if (kind === LETTER) {
        if (word === 0) wordFrom = at;
        word = (Math.imul(word ^ folded, MULTIPLIER) + 1) | 0;
      } else {
        if (word !== 0) {
          const hash = Math.imul(word ^ 0x51_ed27, 0x27d4_eb2f);
          this.#add(hash, wordFrom, at);
          if (before !== 0) this.#add((Math.imul(before, 31) + hash) | 0, beforeFrom, at);
          before = hash;
          beforeFrom = wordFrom;
          word = 0;
        }
        if (kind !== SPACE) {
          const hash = Math.imul(((Math.imul(folded, MULTIPLIER) + 1) | 0) ^ 0x51_ed27, 0x27d4_eb2f);
          this.#add(hash, at, at + 1);
          if (before !== 0) this.#add((Math.imul(before, 31) + hash) | 0, beforeFrom, at + 1);
          before = hash;
          beforeFrom = at;
        }
      }
      if (kind === IDEOGRAPH) {
        run = 0;
        continue;
      }
      const four = (Math.imul(three ^ folded, MULTIPLIER) + 4) | 0;
      three = (Math.imul(two ^ folded, MULTIPLIER) + 3) | 0;
      two = (Math.imul(one ^ folded, MULTIPLIER) + 2) | 0;
      one = Math.imul(folded + 1, MULTIPLIER);
      run += 1;
      if (run >= 4) this.#add(four, at - 3, at + 1);
      // The space before a word belongs to its first characters, as the one behind it to its last.
      if (kind === SPACE) run = 1;
    }
    return this.#count;
  }

  /** The same, with the place of each. */
  places(text: string): readonly Place[] {
    const places: Place[] = [];
    this.#places = places;
    this.cut(text);
    this.#places = undefined;
    return places;
  }

  #add(hash: number, from: number, to: number): void {
    let mixed = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca6b);
    mixed ^= mixed >>> 13;
    const index = mixed >>> this.#shift;
    this.indices[this.#count] = index;
    this.#count += 1;
    if (this.#places !== undefined) this.#places.push({ index, from, to });
  }
}
