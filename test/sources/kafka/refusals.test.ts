import { describe, expect, it } from '@jest/globals';
import { SinkError } from '../../../src/core/errors.js';
import { Refusals, refusalError } from '../../../src/sources/kafka/refusals.js';
import { batchOf, partitionOf } from './setting.js';

const BUSY = new SinkError('RXF_SINK_WRITE', 'busy');

describe('refusals in a row', () => {
  it('count until the watermark has passed the highest that was refused, each stream by itself', () => {
    const refusals = new Refusals();
    const { own } = partitionOf(0);
    const { own: other } = partitionOf(0, undefined, 4);
    expect(refusals.last(own)).toBeUndefined();
    expect(refusals.add(own, 5, 'a')).toEqual({ offset: 5, attempt: 1, cause: 'a' });
    expect(refusals.add(own, 3, 'b')).toEqual({ offset: 5, attempt: 2, cause: 'b' });
    expect(refusals.add(own, 7, 'c')).toEqual({ offset: 7, attempt: 3, cause: 'c' });
    expect(refusals.last(own)).toMatchObject({ offset: 7, cause: 'c' });
    expect(refusals.add(other, 1, 'd')).toMatchObject({ offset: 1, attempt: 1 });

    own.enqueue(batchOf([0, 1, 2, 3, 4, 5, 6, 7, 8]));
    for (let n = 0; n < 9; n += 1) own.take();
    own.ack(0, 7);
    expect(own.watermark.offset).toBe(7);
    expect(refusals.add(own, 7, 'e')).toMatchObject({ offset: 7, attempt: 4 });
    own.ack(7, 8);
    expect(refusals.add(own, 8, 'f')).toEqual({ offset: 8, attempt: 1, cause: 'f' });
  });

  it('end with an error that says which record, how often, why, and what to do', () => {
    const { own } = partitionOf(0);
    const passing = refusalError(own, { offset: 5, attempt: 3, cause: BUSY });
    expect(passing).toMatchObject({ code: 'RXF_SOURCE_NACKED', cause: BUSY });
    expect(passing.details).toEqual({ stream: 'kafka:chat/3', offset: 5, attempts: 3 });
    expect(passing.message).toBe(
      'kafka:chat/3 offset 5 was refused after 3 attempts: busy What came before is committed; it comes again at the next start.',
    );
    expect(refusalError(own, { offset: 5, attempt: 1, cause: 'bad' }).message).toBe(
      'kafka:chat/3 offset 5 was refused: "bad" The flow stops before it, since a refused record is never skipped; what came ' +
        'before is committed. Mend the cause, or give `decode` a `deadLetter` sink, and start again.',
    );
  });
});
