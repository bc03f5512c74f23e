import { from, type Observable, type ObservableInput, tap } from 'rxjs';

/** Writes down the calls that come while an earlier one is neither answered nor unsubscribed. */
export class CallOverlaps {
  readonly seen: string[] = [];
  #unanswered: string | undefined;

  /** A call with its answer; what comes back is to be answered in its place. */
  called<T>(call: string, answer: ObservableInput<T>): Observable<T> {
    this.look(call);
    this.#unanswered = call;
    const answered = () => {
      if (this.#unanswered === call) this.#unanswered = undefined;
    };
    return from(answer).pipe(tap({ next: answered, error: answered, complete: answered, unsubscribe: answered }));
  }

  /** A call without an answer. */
  look(call: string): void {
    if (this.#unanswered !== undefined) this.seen.push(`${call} during ${this.#unanswered}`);
  }
}
