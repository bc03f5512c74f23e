import { defer, Observable } from 'rxjs';

/** Asynchronous work as a cold Observable of its one answer; unsubscribing before that aborts the signal. */
export function answer<T>(work: (signal: AbortSignal) => Promise<T>): Observable<T> {
  return defer(() => {
    const controller = new AbortController();
    return answerUnless(
      () => work(controller.signal),
      () => controller.abort(),
    );
  });
}

/** The same without a signal, for work that is done for each chunk: unsubscribing before the answer calls `giveUp`. */
export function answerUnless<T>(work: () => Promise<T>, giveUp: () => void): Observable<T> {
  return new Observable((subscriber) => {
    // To abort makes an error with a stack: three times the cost of all the rest here, for each chunk.
    let isAnswered = false;
    work().then(
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
      if (!isAnswered) giveUp();
    };
  });
}
