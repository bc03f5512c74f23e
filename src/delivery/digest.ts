/** A short name for any number of texts and whole numbers in order: others have, in all likelihood, another. 64 bits. */
export class Digest {
  #one = 0x811c9dc5;
  #two = 0x9dc5811c;

  addText(text: string): void {
    for (let at = 0; at < text.length; at += 1) this.#mix(text.charCodeAt(at));
    // So that `ab` and `c` are not `a` and `bc`.
    this.#mix(0x10000);
  }

  addNumber(number: number): void {
    this.#mix(number | 0);
    this.#mix(Math.floor(number / 2 ** 32));
  }

  /** In base 36. */
  toString(): string {
    const mixed = [this.#one ^ (this.#two >>> 15), this.#two ^ (this.#one >>> 13)];
    return mixed.map((half) => (Math.imul(half ^ (half >>> 16), 0xc2b2ae35) >>> 0).toString(36)).join('');
  }

  /** The shift brings the high bits down again: a product moves them up only. */
  #mix(word: number): void {
    this.#one = Math.imul(this.#one ^ word, 0x9e3779b1);
    this.#one ^= this.#one >>> 15;
    this.#two = Math.imul(this.#two ^ word, 0x85ebca6b);
    this.#two ^= this.#two >>> 13;
  }
}
