import { Observable, type Subscriber } from 'rxjs';

/** Sees each value that passes. Must not throw. */
export type Look = (value: unknown) => void;

/**
 * What leads into one step of a flow, which can be looked at while it runs. As long as nobody looks, values go from the step before
 * straight into this one. For a look, the `next` of the subscriber between them is covered by one that looks first, and uncovered
 * afterwards; a step between the two would cost something for each record, always.
 */
export class Edge {
  readonly #into = new Set<Subscriber<unknown>>();
  readonly #looks = new Set<Look>();

  /** Whether somebody looks. */
  get isTapped(): boolean {
    return this.#looks.size > 0;
  }

  /** The same input; who subscribes to it is known here. */
  leadingIn<T>(input: Observable<T>): Observable<T> {
    return new Observable((subscriber) => {
      const into = subscriber as Subscriber<unknown>;
      this.#into.add(into);
      subscriber.add(() => this.#into.delete(into));
      if (this.isTapped) this.#cover(into);
      return input.subscribe(subscriber);
    });
  }

  /** Returns what ends it. */
  look(look: Look): () => void {
    if (!this.isTapped) for (const into of this.#into) this.#cover(into);
    this.#looks.add(look);
    return () => {
      this.#looks.delete(look);
      if (!this.isTapped) for (const into of this.#into) uncover(into);
    };
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
