import { setTimeout as sleep } from 'node:timers/promises';
import { defer, Observable } from 'rxjs';
import { backoffMs } from '../../backpressure/backoff.js';
import type { RetryOptions } from './options.js';

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

/** Waits before attempt `attempt + 1` (from 1): doubled each time, half of it at random so that clients spread. */
export async function backOff(retry: RetryOptions, attempt: number, signal: AbortSignal, mostMs = Infinity) {
  const waitMs = backoffMs(attempt, { ...retry, jitter: 0.5, random: Math.random });
  await sleep(Math.min(mostMs, waitMs), undefined, { signal });
}
