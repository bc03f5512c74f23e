/** First in, first out, in constant time: `Array.shift` takes as long as the array is. */
export class Queue<T> {
  #values: T[] = [];
  #first = 0;

  get size(): number {
    return this.#values.length - this.#first;
  }

  /** The one that `take` would return; undefined where there is none. */
  get first(): T | undefined {
    return this.#values[this.#first];
  }

  /** Whether the predicate holds for one of them. */
  some(holds: (value: T) => boolean): boolean {
    for (let at = this.#first; at < this.#values.length; at += 1) if (holds(this.#values[at] as T)) return true;
    return false;
  }

  add(value: T): void {
    this.#values.push(value);
  }

  /** Puts these before all else, in their order. */
  putFirst(values: readonly T[]): void {
    this.#values = [...values, ...this.takeAll()];
  }

  take(): T | undefined {
    if (this.#first === this.#values.length) return undefined;
    const value = this.#values[this.#first] as T;
    this.#values[this.#first] = undefined as T;
    this.#first += 1;
    if (this.#first * 2 >= this.#values.length) {
      this.#values = this.#values.slice(this.#first);
      this.#first = 0;
    }
    return value;
  }

  /** Removes those that satisfy the predicate; the others keep their order. */
  takeOut(isOut: (value: T) => boolean): T[] {
    const out: T[] = [];
    const left: T[] = [];
    for (const value of this.takeAll()) (isOut(value) ? out : left).push(value);
    this.#values = left;
    return out;
  }

  /** Takes all of it. */
  takeAll(): T[] {
    const all = this.#values.slice(this.#first);
    this.#values = [];
    this.#first = 0;
    return all;
  }
}
