import { expect, test } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { answer } from '../../../src/drivers/webhdfs/answer.js';

test('unsubscribing before the answer aborts what is under way', () => {
  let signal: AbortSignal | undefined;
  answer((given) => {
    signal = given;
    return new Promise(() => undefined);
  })
    .subscribe()
    .unsubscribe();
  expect(signal?.aborted).toBe(true);
});

test.each([
  ['an answer', () => Promise.resolve(7), 7],
  ['a failure', () => Promise.reject(new Error('no')), 'no'],
])('%s is not followed by an abort', async (_name, work, wanted) => {
  let signal: AbortSignal | undefined;
  const answered$ = answer<number>((given) => {
    signal = given;
    return work();
  });
  expect(await firstValueFrom(answered$).catch((error: Error) => error.message)).toBe(wanted);
  expect(signal?.aborted).toBe(false);
});
