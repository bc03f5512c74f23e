/** Numbers that look random, and are the same again for the same seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** So many cards, dealt from shuffled decks one after another: each comes before any comes a second time. */
  deal<T>(deck: readonly T[], count: number): T[] {
    const dealt: T[] = [];
    while (dealt.length < count) dealt.push(...this.#shuffled(deck));
    return dealt.slice(0, count);
  }

  #shuffled<T>(deck: readonly T[]): T[] {
    const cards = [...deck];
    for (let last = cards.length - 1; last > 0; last -= 1) {
      const other = this.between(0, last);
      [cards[last], cards[other]] = [cards[other] as T, cards[last] as T];
    }
    return cards;
  }
}
