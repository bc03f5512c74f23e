import { from, Observable, type ObservableInput } from 'rxjs';

/** Work on the disk, one call of the system after the other: each call is yielded, and its answer comes back. */
export type Steps<T> = Generator<ObservableInput<unknown>, T, never>;

/** One call, its answer or its error. */
export function* wait<T>(call: ObservableInput<T>): Steps<T> {
  return yield call;
}

/**
 * The work as a cold Observable of its one answer. Once begun it goes on to its end, also after an unsubscription: stopped between
 * two calls it would leave half of a change behind.
 */
export function carryOut<T>(begin: () => Steps<T>): Observable<T> {
  return new Observable((subscriber) => {
    const steps = begin();
    let next: (() => IteratorResult<ObservableInput<unknown>, T>) | undefined = () => steps.next();
    let isRunning = false;
    const run = () => {
      if (isRunning) return;
      isRunning = true;
      while (next !== undefined) {
        const resume = next;
        next = undefined;
        let turn: IteratorResult<ObservableInput<unknown>, T>;
        try {
          turn = resume();
        } catch (error) {
          subscriber.error(error);
          break;
        }
        if (turn.done) {
          subscriber.next(turn.value);
          subscriber.complete();
          break;
        }
        call(turn.value);
      }
      isRunning = false;
    };
    const call = (made: ObservableInput<unknown>) => {
      let answer: unknown;
      from(made).subscribe({
        next: (value) => {
          answer = value;
        },
        error: (error: unknown) => {
          next = () => steps.throw(error);
          run();
        },
        complete: () => {
          next = () => steps.next(answer as never);
          run();
        },
      });
    };
    run();
  });
}
