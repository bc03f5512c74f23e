import { Observable, type Subscriber } from 'rxjs';

/** Sees each value that passes. Must not throw. */
export type Look = (value: unknown) => void;

/**
 * What leads into one step of a flow, which can be looked at while it runs. As long as nobody looks, values go from the step before
 * straight into this one. For a look, the `next` of the subscriber between them is covered by one that looks first, and uncovered
 * afterwards; a step between the two would cost something for each record, always. A look that has seen enough for now is paused,
 * and then costs nothing either.
 */
export class Edge {
  readonly #into = new Set<Subscriber<unknown>>();
  readonly #taps = new Set<Look>();
  /** Those that are not paused. */
  readonly #looks = new Set<Look>();

  /** Whether there is a look, be it paused. */
  get isTapped(): boolean {
    return this.#taps.size > 0;
  }

  /** The same input; who subscribes to it is known here. */
  leadingIn<T>(input: Observable<T>): Observable<T> {
    return new Observable((subscriber) => {
      const into = subscriber as Subscriber<unknown>;
      this.#into.add(into);
      subscriber.add(() => this.#into.delete(into));
      if (this.#looks.size > 0) this.#cover(into);
      return input.subscribe(subscriber);
    });
  }

  /** Returns what ends it. */
  look(look: Look): () => void {
    this.#taps.add(look);
    this.resume(look);
    return () => {
      this.#taps.delete(look);
      this.pause(look);
    };
  }

  /** Values pass without this look, until `resume`. */
  pause(look: Look): void {
    if (!this.#looks.delete(look) || this.#looks.size > 0) return;
    for (const into of this.#into) uncover(into);
  }

  resume(look: Look): void {
    if (!this.#taps.has(look)) return;
    if (this.#looks.size === 0) for (const into of this.#into) this.#cover(into);
    this.#looks.add(look);
  }

  #cover(into: Subscriber<unknown>): void {
    const looks = this.#looks;
    const { next } = into;
    into.next = (value) => {
      for (const look of looks) look(value);
      next.call(into, value);
    };
  }
}

function uncover(into: Subscriber<unknown>): void {
  delete (into as { next?: unknown }).next;
}
