import { from, type ObservableInput } from 'rxjs';

export interface Answer<T> {
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
