import { describe, expect, it } from '@jest/globals';
import { EMPTY, NEVER, of, Subject } from 'rxjs';
import { routeBy } from '../../operators/route-by.js';
import { OptionError, type SinkError } from '../../src/core/errors.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';
import { drawn, taken } from './marbles.js';
import { brokenSink, sinkAfter, through } from './sinks.js';

describe('routeBy', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, acks$, expectObservable }) => {
      const values = '  -a-b-c-----|';
      const result = '  --a---cb---|';
      const acks = '    --a---cb----';
      const [slow, fast] = [sinkAfter<string>(4), sinkAfter<string>(1)];
      expectObservable(deliveries(values).pipe(routeBy((x) => (x === 'b' ? 'slow' : 'fast'), { slow, fast }))).toBe(
        result,
      );
      expectObservable(acks$).toBe(acks);
    }));

  itKeepsTheEnds(routeBy(() => 'one', { one: through, other: through }));

  it('completes when all branches have', () =>
    drawn(({ deliveries, expectObservable }) => {
      const [slow, fast] = [sinkAfter<string>(6), sinkAfter<string>(1)];
      expectObservable(deliveries('ab|').pipe(routeBy((x) => (x === 'a' ? 'slow' : 'fast'), { slow, fast }))).toBe(
        '--b---(a|)',
      );
    }));

  it.each([
    ['nack', undefined, ['nack x']],
    ['nack', 'nack' as const, ['nack x']],
    ['ack', 'ack' as const, ['ack x']],
    ['give to a branch of its own', sinkAfter<string>(0), []],
  ])('can %s what has no branch', (_, otherwise, log) => {
    const acker = new RecordingAcker();
    const options = otherwise === undefined ? {} : { otherwise };
    taken(of(acker.deliver('x', { offset: 3 })).pipe(routeBy(() => 'none', { one: sinkAfter<string>(0) }, options)));
    expect(acker.log).toEqual(log);
    if (log[0] === 'nack x') {
      expect(acker.causes.x).toMatchObject({
        code: 'RXF_SINK_ROUTE',
        retryable: false,
        message:
          'test:stream offset 3 is for the branch "none", but the only branches are one. Add the branch, or pass `otherwise`.',
      });
    }
  });

  it('nacks what select throws for, and lives', () => {
    const acker = new RecordingAcker();
    const cause = new Error('no lang');
    const out = taken(
      of(acker.deliver('a'), acker.deliver('b')).pipe(
        routeBy(
          (value) => {
            if (value === 'a') throw cause;
            return 'one';
          },
          { one: through },
        ),
      ),
    );
    expect([out.values.map(({ value }) => value), acker.causes]).toMatchObject([
      ['b'],
      { a: { code: 'RXF_OPERATOR_FAILED', cause } },
    ]);
  });

  it('nacks what is for a branch that has completed, fails with the first error of one, and leaves them', () => {
    const acker = new RecordingAcker();
    const source$ = new Subject<Delivery<string>>();
    const error = new Error('no disk');
    const route = routeBy((value: string) => value, {
      done: () => EMPTY,
      bad: brokenSink<string>(error),
      open: () => NEVER,
    });
    const out = taken(source$.pipe(route));
    source$.next(acker.deliver('done'));
    expect(acker.causes.done).toMatchObject({
      code: 'RXF_SINK_STOPPED',
      message: 'The branch that the value was for takes no more; it is redelivered.',
    });
    source$.next(acker.deliver('bad'));
    expect(out).toMatchObject({ ended: 'error', error });
    expect(source$.observed).toBe(false);
  });

  it('names at most eight branches, and says of what value there is none', () => {
    const many = (count: number) =>
      Object.fromEntries([...'abcdefghij'].slice(0, count).map((name) => [name, through]));
    const causeOf = (count: number) => {
      const acker = new RecordingAcker();
      taken(of(acker.deliver('x', { offset: 3 })).pipe(routeBy(() => 'none', many(count))));
      return acker.causes.x as SinkError;
    };
    expect(causeOf(8).message).toContain('the only branches are a, b, c, d, e, f, g, h. Add the branch');
    expect(causeOf(9).message).toContain('the only branches are a, b, c, d, e, f, g, h and more. Add the branch');
    expect(causeOf(1).details).toEqual({ stream: 'test:stream', offset: 3, branch: '"none"' });
  });

  itSettlesOnce(() =>
    routeBy((value: number) => String(value % 3), { 0: through, 1: through }, { otherwise: through }),
  );

  it.each([
    [1, { a: through }, {}, 'Expected `select` to be a function'],
    [() => 'a', {}, {}, 'Expected `branches` to be an object of 1 to 1000 sinks by name'],
    [() => 'a', null, {}, 'Expected `branches` to be an object'],
    [() => 'a', { a: 1 }, {}, 'Expected `branches.a` to be a function, got `1` (number).'],
    [() => 'a', { a: through }, { otherwise: 'drop' }, "Expected `otherwise` to be a sink, 'ack' or 'nack'"],
    [
      () => 'a',
      { a: through },
      { default: 1 },
      'Expected `routeBy options` to have only known options (otherwise), got `default`.',
    ],
  ])('rejects %p, %p, %p', (select, branches, options, message) => {
    const call = () => routeBy(select as never, branches as never, options as never);
    expect(call).toThrow(message);
    expect(call).toThrow(OptionError);
  });
});
