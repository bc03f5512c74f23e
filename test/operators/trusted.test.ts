import { describe, expect, it } from '@jest/globals';
import { delay, of, pipe, tap } from 'rxjs';
import { filterValue } from '../../operators/filter-value.js';
import { mapValue } from '../../operators/map-value.js';
import { trusted } from '../../operators/trusted.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';
import { ackedAfter, drawn, taken } from './marbles.js';

describe('trusted', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, acks$, expectObservable, flush }) => {
      const values = '  -a-b-c-|';
      const result = '  -a-b-c-|';
      const acks = '    --a-b-c-';
      const seen: string[] = [];
      const result$ = deliveries(values).pipe(trusted(tap(({ value }) => seen.push(value))), ackedAfter(1));
      expectObservable(result$).toBe(result);
      expectObservable(acks$).toBe(acks);
      flush();
      expect(seen).toEqual(['a', 'b', 'c']);
    }));

  itKeepsTheEnds(trusted(delay(0)));

  itSettlesOnce(({ willSettle }) =>
    trusted(
      pipe(
        filterValue((value: number) => {
          if (value % 10 === 3) willSettle(value, 'ack');
          return value % 10 !== 3;
        }),
        mapValue((value) => value),
      ),
    ),
  );

  it('leaves the operator as it is, and has its name where that has one', () => {
    const seen = tap(() => undefined);
    const own = function lookedAt(source: Parameters<typeof seen>[0]) {
      return source;
    };
    expect([trusted(own as never).name, trusted(seen as never).name]).toEqual(['lookedAt', 'trusted']);
    expect([own.name, seen.name]).toEqual(['lookedAt', '']);
    const out = taken(of(new RecordingAcker().deliver(1)).pipe(trusted(own as never)));
    expect([out.values.length, out.ended]).toEqual([1, 'complete']);
  });

  it('rejects what is no function', () => {
    expect(() => trusted('tap' as never)).toThrow('Expected `operator` to be a function, got `"tap"` (string).');
  });
});
