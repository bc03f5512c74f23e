import { expect, test } from '@jest/globals';
import { NackCounter } from '../../src/offsets/nack-counter.js';

test('nacks in a row count until the watermark has passed the highest that was nacked, each stream by itself', () => {
  const nacks = new NackCounter();
  const own = { stream: 'kafka:chat/3', watermark: { offset: 0 } };
  const other = { stream: 'kafka:chat/4', watermark: { offset: 0 } };
  expect(nacks.last(own)).toBeUndefined();
  expect(nacks.add(own, 5, 'a')).toEqual({ offset: 5, attempt: 1, cause: 'a' });
  expect(nacks.add(own, 3, 'b')).toEqual({ offset: 5, attempt: 2, cause: 'b' });
  expect(nacks.add(own, 7, 'c')).toEqual({ offset: 7, attempt: 3, cause: 'c' });
  expect(nacks.last(own)).toMatchObject({ offset: 7, cause: 'c' });
  expect(nacks.add(other, 1, 'd')).toMatchObject({ offset: 1, attempt: 1 });

  own.watermark.offset = 7;
  expect(nacks.add(own, 7, 'e')).toMatchObject({ offset: 7, attempt: 4 });
  own.watermark.offset = 8;
  expect(nacks.add(own, 8, 'f')).toEqual({ offset: 8, attempt: 1, cause: 'f' });
});
