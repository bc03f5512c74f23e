import { describe, expect, it } from '@jest/globals';
import { RxflumeError, SinkError } from '../../src/core/errors.js';
import { isStopped, lateNackError, mayPass, nackErrorOf } from '../../src/delivery/nack-errors.js';
import { callAcker } from '../support/call-acker.js';

const delivery = callAcker().at(7);
const failing = { code: 'RXF_SINK_WRITE', what: 'write' } as const;

describe('a rejection', () => {
  it('says what failed, of which delivery, and why', () => {
    const cause = new Error('disk is full');
    expect(nackErrorOf(cause, failing, delivery)).toMatchObject({ code: 'RXF_SINK_WRITE', cause, retryable: true });
    expect(nackErrorOf(cause, failing, delivery).message).toMatch(/^Cannot write s offset 7: .*disk is full/);
  });

  it('is the error itself where it is one of ours', () => {
    const cause = new SinkError('RXF_SINK_STOPPED', 'over');
    expect(nackErrorOf(cause, failing, delivery)).toBe(cause);
  });

  it('of a late call says how long it had, and that the value is redelivered', () => {
    const late = lateNackError('write', 50, delivery);
    expect(late).toMatchObject({ code: 'RXF_OPERATOR_TIMEOUT', details: { stream: 's', offset: 7, limitMs: 50 } });
    expect(late.message).toBe(
      'Timed out: to write s offset 7 took longer than 50 ms. It may or may not have been carried out. The value is redelivered.',
    );
  });

  it('is of a stop only with its code, on an error of ours', () => {
    const other = new SinkError('RXF_SINK_WRITE', 'no');
    const foreign = Object.assign(new Error('over'), { code: 'RXF_SINK_STOPPED' });
    const stopped = new SinkError('RXF_SINK_STOPPED', 'over');
    expect(stopped).toBeInstanceOf(RxflumeError);
    expect([stopped, other, foreign, undefined].map(isStopped)).toEqual([true, false, false, false]);
  });

  it('may pass as its cause says, or unless it looks like a bug', () => {
    const bugs = [new TypeError(), new ReferenceError(), new SyntaxError(), new RangeError()];
    expect(bugs.map(mayPass)).toEqual([false, false, false, false]);
    expect([new Error('no'), 'text', null, undefined].map(mayPass)).toEqual([true, true, true, true]);
    expect(mayPass(Object.assign(new TypeError(), { retryable: true }))).toBe(true);
    expect(mayPass({ retryable: false })).toBe(false);
    expect(mayPass({ retryable: 'no', name: 'TypeError' })).toBe(false);
    // As `fetch` rejects: the network failed; the URL is invalid.
    expect(mayPass(new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 10.0.0.1:80') }))).toBe(true);
    expect(mayPass(new TypeError('Failed to parse URL', { cause: new TypeError('Invalid URL') }))).toBe(false);
    expect(mayPass(new TypeError('no function', { cause: 'text' }))).toBe(false);
  });
});
