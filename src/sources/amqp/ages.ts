/**
 * How long the oldest unsettled message has been out, to within the time between two looks.
 *
 * Pure. Bounds: a mark for each look since the oldest arrived, at most `looks` of them.
 */
export class Ages {
  readonly #limitMs: number;
  /** What had arrived at each look, oldest first. */
  #marks: { readonly at: number; readonly next: number }[] = [];

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** Notes what has arrived, and tells whether one below it, at or behind `settledEnd`, is out for longer than the limit. */
  look(now: number, arrived: number, settledEnd: number): boolean {
    this.#marks = this.#marks.filter(({ next }) => next > settledEnd);
    const last = this.#marks.at(-1);
    if (arrived > Math.max(settledEnd, last?.next ?? 0)) this.#marks.push({ at: now, next: arrived });
    const first = this.#marks[0];
    return first !== undefined && first.at + this.#limitMs <= now;
  }
}
