import { expect, test } from '@jest/globals';
import { SinkError } from '../../../src/core/errors.js';
import { nackedError } from '../../../src/sources/kafka/rewinding.js';
import { partitionOf } from './setting.js';

const BUSY = new SinkError('RXF_SINK_WRITE', 'busy');

test('a source stops with an error that says which record, how often, why, and what to do', () => {
  const { own } = partitionOf(0);
  const passing = nackedError(own, { offset: 5, attempt: 3, cause: BUSY });
  expect(passing).toMatchObject({ code: 'RXF_SOURCE_NACKED', cause: BUSY });
  expect(passing.details).toEqual({ stream: 'kafka:chat/3', offset: 5, attempts: 3 });
  expect(passing.message).toBe(
    'kafka:chat/3 offset 5 was nacked after 3 attempts: busy. What came before is committed; it is redelivered at the next start.',
  );
  expect(nackedError(own, { offset: 5, attempt: 1, cause: 'bad' }).message).toBe(
    'kafka:chat/3 offset 5 was nacked: "bad". The flow stops before it, since a nacked record is never skipped; what came ' +
      'before is committed. Correct the cause, or pass `decode` a `deadLetter` sink, and start again.',
  );
});
