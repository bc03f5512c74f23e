import { from, type ObservableInput } from 'rxjs';
import type { Assignment } from './assignment.js';
import { Signal } from './signal.js';

/**
 * What the listener answers, an empty list where that is nothing; undefined where the assignment ended meanwhile, or the
 * answer is an error, which goes to `failed`. A rebalance waits that long for the answer.
 */
export async function answerWithin(
  assignment: Assignment,
  ask: () => ObservableInput<unknown>,
  rebalanceWaitsMs: number,
  failed: (error: unknown) => void,
): Promise<unknown> {
  const asked = firstOf(ask);
  const late = new Signal();
  let answer: unknown;
  const answered = asked.answer.then((value) => {
    answer = value ?? [];
  });
  answered.catch(() => undefined);
  const over = assignment.ending.then(async (kind) => {
    if (kind === 'rebalance') await Promise.race([answered, assignment.gone, late.wait(rebalanceWaitsMs)]);
  });
  try {
    await Promise.race([answered, over]);
  } catch (error) {
    failed(error);
    return undefined;
  } finally {
    asked.cancel();
    late.fire();
  }
  return answer;
}

interface Answer<T> {
  readonly answer: Promise<T | undefined>;
  cancel(): void;
}

/** The last value of what is called, as a promise that can be given up. */
export function firstOf<T>(call: () => ObservableInput<T>): Answer<T> {
  let cancel: () => void = () => undefined;
  const answer = new Promise<T | undefined>((resolve, reject) => {
    let value: T | undefined;
    const subscription = from(call()).subscribe({
      next: (next) => {
        value = next;
      },
      error: reject,
      complete: () => resolve(value),
    });
    cancel = () => {
      subscription.unsubscribe();
      resolve(undefined);
    };
  });
  return { answer, cancel: () => cancel() };
}
