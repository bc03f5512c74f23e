import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { splitDelivery } from '../../src/delivery/split.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { callAcker, resumeTracker } from '../support/call-acker.js';
import { factsIn } from '../support/driver-origins.js';

function split(count: number) {
  const acker = new RecordingAcker();
  const whole = acker.deliver('whole', { offset: 5 });
  const parts = splitDelivery(
    whole,
    Array.from({ length: count }, (_, n) => n),
  );
  return { acker, whole, parts };
}

describe('splitDelivery', () => {
  it('is acked when all parts are, in any order, each counted once', () => {
    const { acker, parts } = split(3);
    for (const at of [2, 0, 0, 2]) parts[at]?.ack();
    expect(acker.log).toEqual([]);
    parts[1]?.ack();
    parts[1]?.nack('late');
    expect(acker.log).toEqual(['ack whole']);
  });

  it('is nacked when the first part is, once, with its cause, also when the others are acked', () => {
    const { acker, parts } = split(3);
    parts[0]?.ack();
    parts[1]?.nack('first');
    parts[2]?.nack('second');
    parts[1]?.ack();
    parts[2]?.ack();
    expect(acker.log.filter((line) => !line.startsWith('release'))).toEqual(['nack whole']);
    expect(acker.causes).toEqual({ whole: 'first' });
  });

  it('does not take a nack of a part that is acked', () => {
    const { acker, parts } = split(2);
    parts[0]?.ack();
    parts[0]?.nack('late');
    expect(acker.log).toEqual([]);
    parts[1]?.ack();
    expect(acker.log).toEqual(['ack whole']);
  });

  it('is released when all parts are released or acked', () => {
    const { acker, parts } = split(3);
    parts[0]?.release();
    parts[0]?.release();
    parts[1]?.ack();
    expect(acker.log).toEqual([]);
    parts[2]?.release();
    expect(acker.log).toEqual(['release whole']);
    parts[2]?.ack();
    parts[0]?.ack();
    expect(acker.log).toEqual(['release whole', 'ack whole']);
  });

  it('is acked at once with no values', () => {
    const { acker, parts } = split(0);
    expect([parts, acker.log]).toEqual([[], ['ack whole']]);
  });

  it('gives each part its value, the origin, and what the source wants', () => {
    const { whole, parts } = split(2);
    expect(parts.map(({ value }) => value)).toEqual([0, 1]);
    expect(parts.map(({ origin }) => origin.part)).toEqual(['0', '1']);
    for (const { origin } of parts) expect(factsIn(origin)).toEqual(factsIn(whole.origin));
    expect(parts.every(({ acker }) => acker.flush$ === whole.acker.flush$)).toBe(true);
  });

  it('names the parts of a part', () => {
    const [, second] = split(2).parts;
    const parts = splitDelivery(second as NonNullable<typeof second>, ['a', 'b']);
    expect(parts.map(({ origin }) => origin.part)).toEqual(['1.0', '1.1']);
  });

  it('takes runs of sequence numbers as a holder settles them', () => {
    const { acker, parts } = split(100);
    parts[0]?.acker.ack(40, 100);
    parts[0]?.acker.ack(0, 50);
    expect(acker.log).toEqual(['ack whole']);
  });

  it('is settled once, whatever is done with the parts', () => {
    const what = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.constantFrom('ack', 'nack', 'release')), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(what, (calls) => {
        const { acker, parts } = split(5);
        const first = new Map<number, string>();
        for (const [at, verb] of calls) {
          if (verb === 'nack') parts[at]?.nack('no');
          else if (verb === 'ack') parts[at]?.ack();
          else parts[at]?.release();
          if (verb !== 'release' && !first.has(at)) first.set(at, verb);
        }
        const isNacked = [...first.values()].includes('nack');
        const isAcked = first.size === 5 && !isNacked;
        const settled = acker.log.filter((line) => !line.startsWith('release'));
        expect(settled).toEqual(isNacked ? ['nack whole'] : isAcked ? ['ack whole'] : []);
      }),
      { numRuns: 500 },
    );
  });

  it.each([true, false, undefined])('shows whether the whole is of one stream: %s', (isMixed) => {
    const facts = isMixed === undefined ? {} : { isMixed };
    const [part] = splitDelivery(callAcker(facts).at(3), ['a']);
    expect(part?.acker.isMixed).toBe(isMixed === true);
  });

  it('is held when all parts are held or acked, at its own sequence number', () => {
    const { calls, at } = callAcker({ resumeTracker });
    const [part] = splitDelivery(at(3), ['a', 'b', 'c']);
    part?.acker.hold(0, 1);
    part?.acker.ack(1, 2);
    expect(calls).toEqual([]);
    part?.acker.hold(2, 3);
    expect(calls).toEqual([['hold', 3, 4]]);
  });

  it('is never held where the stream is not read again from where a ledger says', () => {
    const { calls, at } = callAcker();
    const [part] = splitDelivery(at(3), ['a', 'b']);
    part?.acker.hold(0, 2);
    expect(calls).toEqual([]);
  });

  it('hears no more of parts once it was nacked', () => {
    const { calls, at } = callAcker({ resumeTracker });
    const [part] = splitDelivery(at(3), ['a', 'b']);
    part?.nack('no');
    part?.acker.ack(0, 2);
    expect(calls).toEqual([['nack', 3, 4, 'no']]);
  });
});
