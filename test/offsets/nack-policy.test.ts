import { expect, test } from '@jest/globals';
import { SinkError } from '../../src/core/errors.js';
import { redeliverAfterMs } from '../../src/offsets/nack-policy.js';

test('a nacked record is redelivered after waits that double up to the most, so often, if its cause may pass', () => {
  const options = { maxAttempts: 5, firstDelayMs: 100, maxDelayMs: 500 };
  const passing = new SinkError('RXF_SINK_WRITE', 'busy');
  expect([1, 2, 3, 4, 5, 6].map((attempt) => redeliverAfterMs(passing, attempt, options))).toEqual([
    100,
    200,
    400,
    500,
    500,
    null,
  ]);
  expect(redeliverAfterMs(new SinkError('RXF_SINK_FORMAT', 'no text'), 1, options)).toBeNull();
  expect(redeliverAfterMs('unknown', 1, options)).toBeNull();
});
