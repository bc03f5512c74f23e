import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { of, Subject, tap } from 'rxjs';
import { splitValue } from '../../operators/split-value.js';
import { OptionError } from '../../src/core/errors.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';
import { ackedAfter, drawn, taken } from './marbles.js';

describe('splitValue', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, acks$, expectObservable }) => {
      const values = '  -x-----y-----|';
      const result = '  -(ab)--c-----|';
      const acks = '    ---x----y-----';
      const result$ = deliveries(values, { x: 'ab', y: 'c' }).pipe(
        splitValue((x) => x.split('')),
        ackedAfter((part) => (part === 'b' ? 2 : 1)),
      );
      expectObservable(result$).toBe(result);
      expectObservable(acks$).toBe(acks);
    }));

  itKeepsTheEnds(splitValue((value) => [value]));

  it('acks at once what has no parts, nacks what project throws for, and lives', () => {
    const acker = new RecordingAcker();
    const cause = new Error('no list');
    const out = taken(
      of(acker.deliver('none'), acker.deliver('bad'), acker.deliver('two')).pipe(
        splitValue((value) => {
          if (value === 'bad') throw cause;
          return value === 'none' ? [] : [1, 2];
        }),
      ),
    );
    expect(out.values.map(({ value }) => value)).toEqual([1, 2]);
    expect(acker.log).toEqual(['ack none', 'nack bad']);
    expect(acker.causes.bad).toMatchObject({ code: 'RXF_OPERATOR_FAILED', cause });
  });

  it('gives project the delivery too, and takes any iterable', () => {
    const acker = new RecordingAcker();
    const out = taken(
      of(acker.deliver('a', { offset: 7 })).pipe(splitValue((_, { origin }) => new Set([origin.offset]))),
    );
    expect(out.values.map(({ value }) => value)).toEqual([7]);
  });

  it.each(['leaves', 'fails'])('nacks what was not taken of a delivery when the taker %s inside a part', (how) => {
    const acker = new RecordingAcker();
    const source$ = new Subject<Delivery<string>>();
    const out = source$
      .pipe(
        splitValue((value) => value),
        tap((part) => {
          part.ack();
          if (part.value !== 'b') return;
          if (how === 'leaves') out.unsubscribe();
          else source$.error(new Error('lost'));
        }),
      )
      .subscribe({ error: () => undefined });
    source$.next(acker.deliver('abc'));
    expect(acker.acks).toEqual([]);
    expect(acker.causes.abc).toMatchObject({
      code: 'RXF_SINK_STOPPED',
      retryable: true,
      message: 'The flow stopped before all parts of the value were emitted; it is redelivered.',
    });
  });

  itSettlesOnce(() => splitValue((value) => [value]));

  it('settles the origin once all parts are acked, or the first is nacked, in any order', () => {
    const order = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });
    fc.assert(
      fc.property(order, fc.integer({ min: 0, max: 7 }), (settled, nackAt) => {
        const acker = new RecordingAcker();
        const { values: parts } = taken(of(acker.deliver('abcd')).pipe(splitValue((value) => value)));
        for (const [at, part] of settled.entries()) {
          if (at === nackAt) parts[part]?.nack('no');
          else parts[part]?.ack();
        }
        expect([acker.acks.length, acker.nacks.length]).toEqual(nackAt < 4 ? [0, 1] : [1, 0]);
      }),
    );
  });

  it('rejects a project that is not a function', () => {
    expect(() => splitValue('x' as never)).toThrow(OptionError);
    expect(() => splitValue('x' as never)).toThrow('Expected `project` to be a function');
  });
});
