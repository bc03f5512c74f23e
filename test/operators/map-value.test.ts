import { describe, expect, it } from '@jest/globals';
import { of } from 'rxjs';
import { mapValue } from '../../operators/map-value.js';
import { OptionError } from '../../src/core/errors.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';
import { ackedAfter, drawn, shown, taken } from './marbles.js';

describe('mapValue', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, acks$, expectObservable }) => {
      const values = '  -a-b-c-|';
      const result = '  -A-B-C-|';
      const acks = '    --a-b-c-';
      const result$ = deliveries(values).pipe(
        mapValue((x) => x.toUpperCase()),
        ackedAfter(1),
      );
      expectObservable(result$).toBe(result);
      expectObservable(acks$).toBe(acks);
    }));

  itKeepsTheEnds(mapValue((value) => value));

  it('nacks a delivery that project throws for, with a code, and lives', () =>
    drawn(({ deliveries, acker, nacks$, expectObservable, flush }) => {
      const cause = new Error('no length');
      const result$ = deliveries('-a-b-c-#').pipe(
        mapValue((x) => {
          if (x === 'b') throw cause;
          return x;
        }),
        shown,
      );
      expectObservable(result$).toBe('-a---c-#');
      expectObservable(nacks$).toBe(' ---b----');
      flush();
      expect(acker.causes.b).toMatchObject({ code: 'RXF_OPERATOR_FAILED', cause });
      expect(acker.unsettled).toEqual(['a', 'c']);
    }));

  it('gives project the delivery too, and keeps origin and acker', () => {
    const acker = new RecordingAcker();
    const out = taken(
      of(acker.deliver(2, { offset: 40 })).pipe(mapValue((value, { origin }) => value + origin.offset)),
    );
    expect(out.values).toEqual([expect.objectContaining({ value: 42, seq: 0, acker })]);
    expect(out.values[0]?.origin.offset).toBe(40);
  });

  it('passes undefined on as a value', () => {
    const out = taken(of(new RecordingAcker().deliver(1)).pipe(mapValue(() => undefined)));
    expect(out.values.map(({ value }) => value)).toEqual([undefined]);
  });

  itSettlesOnce(({ willSettle }) =>
    mapValue((value) => {
      if (value % 10 !== 3) return { value }.value;
      willSettle(value, 'nack');
      throw new Error('three');
    }),
  );

  it('rejects a project that is not a function', () => {
    const call = () => mapValue('upper' as never);
    expect(call).toThrow('Expected `project` to be a function, got `"upper"` (string).');
    expect(call).toThrow(OptionError);
  });
});
