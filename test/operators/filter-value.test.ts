import { describe, expect, it } from '@jest/globals';
import { of } from 'rxjs';
import { filterValue } from '../../operators/filter-value.js';
import { OptionError } from '../../src/core/errors.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';
import { drawn, shown, taken } from './marbles.js';

describe('filterValue', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, acks$, expectObservable }) => {
      const values = '  -a-b-c-|';
      const result = '  -a---c-|';
      const acks = '    ---b-----';
      const result$ = deliveries(values).pipe(
        filterValue((x) => x !== 'b'),
        shown,
      );
      expectObservable(result$).toBe(result);
      expectObservable(acks$).toBe(acks);
    }));

  itKeepsTheEnds(filterValue(() => true));

  it('nacks a delivery that the predicate throws for, with a code, and lives', () =>
    drawn(({ deliveries, acker, acks$, nacks$, expectObservable, flush }) => {
      const result$ = deliveries('-a-b-c-#').pipe(
        filterValue((x) => {
          if (x === 'b') throw 'odd';
          return false;
        }),
        shown,
      );
      expectObservable(result$).toBe('-------#');
      expectObservable(acks$).toBe('  -a---c--');
      expectObservable(nacks$).toBe(' ---b----');
      flush();
      expect(acker.causes.b).toMatchObject({ code: 'RXF_OPERATOR_FAILED', retryable: false, cause: 'odd' });
    }));

  it('passes the very delivery on, and gives the predicate the delivery too', () => {
    const acker = new RecordingAcker();
    const [first, second] = [acker.deliver('a'), acker.deliver('b')];
    const out = taken(of(first, second).pipe(filterValue((_, { origin }) => origin.offset === 1)));
    expect(out.values).toEqual([second]);
    expect(out.values[0]).toBe(second);
    expect(acker.log).toEqual(['ack a']);
  });

  it('narrows the type by a guard', () => {
    const lengths: number[] = [];
    of(new RecordingAcker().deliver<string | null>('abc'), new RecordingAcker().deliver<string | null>(null))
      .pipe(filterValue((value) => value !== null))
      .subscribe(({ value }) => lengths.push(value.length));
    expect(lengths).toEqual([3]);
  });

  itSettlesOnce(({ willSettle }) =>
    filterValue((value) => {
      if (value % 10 < 5) return true;
      willSettle(value, value % 10 === 9 ? 'nack' : 'ack');
      if (value % 10 === 9) throw new Error('nine');
      return false;
    }),
  );

  it('rejects a predicate that is not a function', () => {
    const call = () => filterValue(/b/ as never);
    expect(call).toThrow('Expected `predicate` to be a function, got `RegExp` (object).');
    expect(call).toThrow(OptionError);
  });
});
