import { Observable } from 'rxjs';

/** Asynchronous work as a cold Observable of its one answer; unsubscribing before that aborts the signal. */
export function answer<T>(work: (signal: AbortSignal) => Promise<T>): Observable<T> {
  return new Observable((subscriber) => {
    const controller = new AbortController();
    // To abort makes an error with a stack: three times the cost of all the rest here, for each chunk.
    let isAnswered = false;
    work(controller.signal).then(
      (value) => {
        isAnswered = true;
        subscriber.next(value);
        subscriber.complete();
      },
      (error: unknown) => {
        isAnswered = true;
        subscriber.error(error);
      },
    );
    return () => {
      if (!isAnswered) controller.abort();
    };
  });
}
