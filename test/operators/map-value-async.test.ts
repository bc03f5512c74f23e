import { describe, expect, it } from '@jest/globals';
import { EMPTY, lastValueFrom, map, NEVER, Observable, of, Subject, take, throwError, timer, toArray } from 'rxjs';
import { type MapValueAsyncOptions, mapValueAsync } from '../../operators/map-value-async.js';
import { OptionError } from '../../src/core/errors.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';
import { inVirtualTime } from '../support/virtual-time.js';
import { ackedAfter, drawn, shown, taken } from './marbles.js';

const TAKES: Readonly<Record<string, number>> = { a: 4, b: 1, c: 5 };
const ask = (value: string) => timer(TAKES[value] ?? 1).pipe(map(() => value.toUpperCase()));

describe('mapValueAsync', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, acks$, expectObservable }) => {
      const values = '  -a-b-c------|';
      const result = '  -----(AB)-C-|';
      const acks = '    ------(ab)-c-';
      const result$ = deliveries(values).pipe(mapValueAsync(ask, { maxInFlight: 2 }), ackedAfter(1));
      expectObservable(result$).toBe(result);
      expectObservable(acks$).toBe(acks);
    }));

  itKeepsTheEnds(mapValueAsync((value) => of(value)));

  it('emits as the answers come, without order', () =>
    drawn(({ deliveries, expectObservable }) => {
      const result$ = deliveries('-a-b-c------|').pipe(mapValueAsync(ask, { order: 'none' }), shown);
      expectObservable(result$).toBe('----BA----C-|');
    }));

  it('completes when the last answer has come', () =>
    drawn(({ deliveries, expectObservable }) => {
      expectObservable(deliveries('ab|').pipe(mapValueAsync(ask), shown)).toBe('----(AB|)');
    }));

  it.each(['source', 'none'] as const)('has never more calls than `maxInFlight`, order %s', (order) =>
    drawn(({ deliveries, expectObservable, flush }) => {
      let underWay = 0;
      let most = 0;
      const counted = (value: string) =>
        new Observable<string>((call) => {
          underWay += 1;
          most = Math.max(most, underWay);
          call.add(() => {
            underWay -= 1;
          });
          return timer(1 + ((value.charCodeAt(0) * 7) % 5)).subscribe(() => call.next(value));
        });
      const got: string[] = [];
      const result$ = deliveries('(abcdefghij|)').pipe(
        mapValueAsync(counted, { maxInFlight: 3, order }),
        map(({ value }) => got.push(value)),
      );
      expectObservable(result$);
      flush();
      expect([most, underWay, got.length]).toEqual([3, 0, 10]);
      if (order === 'source') expect(got.join('')).toBe('abcdefghij');
    }),
  );

  it('nacks a call that fails, throws, answers nothing or takes too long, and lives, in order', () =>
    drawn(({ deliveries, acker, nacks$, expectObservable, flush }) => {
      const calls: Record<string, () => Observable<string>> = {
        f: () => throwError(() => new Error('reset')),
        t: () => {
          throw new TypeError('no function');
        },
        e: () => EMPTY,
        l: () => NEVER,
        o: () => of('O'),
      };
      const result$ = deliveries('-fteolo-|').pipe(
        mapValueAsync((value) => (calls[value] as () => Observable<string>)(), { requestTimeoutMs: 6 }),
        shown,
      );
      expectObservable(result$).toBe('----O------(O|)');
      expectObservable(nacks$).toBe(' -fte-------l');
      flush();
      expect(acker.causes.f).toMatchObject({ code: 'RXF_OPERATOR_FAILED', retryable: true });
      expect((acker.causes.f as Error).message).toBe('Cannot ask for test:stream offset 0: reset.');
      expect(acker.causes.t).toMatchObject({ code: 'RXF_OPERATOR_FAILED', retryable: false });
      expect(acker.causes.e).toMatchObject({ code: 'RXF_OPERATOR_FAILED', retryable: false });
      expect(acker.causes.l).toMatchObject({ code: 'RXF_OPERATOR_TIMEOUT', retryable: true });
      expect(acker.unsettled).toEqual(['o', 'o']);
    }));

  it('takes promises, and the first value of what answers more', async () => {
    const acker = new RecordingAcker();
    const result$ = of(acker.deliver('a'), acker.deliver('b')).pipe(
      mapValueAsync((value) => (value === 'a' ? Promise.resolve('A') : of('B', 'C'))),
      map(({ value }) => value),
      toArray(),
    );
    expect(await lastValueFrom(result$)).toEqual(['A', 'B']);
    expect(acker.log).toEqual([]);
  });

  it('nacks what is under way, what is answered and waits for its order, and what waits for a call, when it stops', () =>
    drawn(({ deliveries, acker, nacks$, expectObservable, flush }) => {
      const project = (value: string) => (value === 'a' ? NEVER : of(value));
      expectObservable(deliveries('abcd-').pipe(mapValueAsync(project, { maxInFlight: 2 })), '-----!').toBe('-');
      expectObservable(nacks$).toBe('-----(cdab)');
      flush();
      expect(
        Object.values(acker.causes).every((cause) => (cause as { code: string }).code === 'RXF_SINK_STOPPED'),
      ).toBe(true);
    }));

  it('does not nack what it has handed on when its taker leaves', () => {
    const acker = new RecordingAcker();
    const out = taken(
      of(acker.deliver('a'), acker.deliver('b')).pipe(
        mapValueAsync((value) => of(value)),
        take(1),
      ),
    );
    expect(out.values.length).toBe(1);
    expect(acker.log).toEqual(['nack b'].slice(0, acker.log.length));
    expect(acker.unsettled).toContain('a');
  });

  it('does not ask for what is stale when its turn comes, nor emit it where it was asked for', () => {
    const source$ = new Subject<Delivery<string>>();
    const acker = new RecordingAcker();
    const asked: string[] = [];
    const first$ = new Subject<string>();
    taken(
      source$.pipe(
        mapValueAsync(
          (value) => {
            asked.push(value);
            return first$;
          },
          { maxInFlight: 1 },
        ),
      ),
    );
    source$.next(acker.deliver('a'));
    source$.next(acker.deliver('b'));
    acker.flush$.complete();
    first$.next('A');
    expect([asked, acker.nacks]).toEqual([['a'], ['a', 'b']]);
  });

  it('says what was asked for in vain, and what to do, and why it nacks when the flow stops', () =>
    inVirtualTime((at) => {
      const acker = new RecordingAcker();
      const source$ = new Subject<Delivery<string>>();
      const calls: Record<string, Observable<string>> = { e: EMPTY, l: NEVER, u: NEVER };
      const out = taken(
        source$.pipe(
          mapValueAsync((value) => calls[value] as Observable<string>, { requestTimeoutMs: 6, order: 'none' }),
        ),
      );
      for (const name of 'el') source$.next(acker.deliver(name));
      at(7, () => {
        source$.next(acker.deliver('u'));
        out.unsubscribe();
        const messageOf = (name: string) => (acker.causes[name] as Error).message;
        expect(messageOf('e')).toBe(
          '`project` returned no value for test:stream offset 0. Let `project` return one value; to drop values use filterValue.',
        );
        expect(messageOf('l')).toContain('ask for test:stream offset 1');
        expect(messageOf('u')).toBe('The flow stopped during the call for the value; it is redelivered.');
      });
    }));

  it('hands on in order also where a taker asks for more from within', () => {
    const acker = new RecordingAcker();
    const source$ = new Subject<Delivery<string>>();
    const answers: Record<string, Subject<string>> = { a: new Subject(), b: new Subject(), c: new Subject() };
    const got: string[] = [];
    source$.pipe(mapValueAsync((value) => answers[value] as Subject<string>)).subscribe(({ value }) => {
      got.push(value);
      // From within the first: the second is answered, and waits until the first is through.
      if (value === 'A') {
        answers.b?.next('B');
        got.push('a is through');
      }
    });
    for (const name of 'abc') source$.next(acker.deliver(name));
    answers.c?.next('C');
    answers.a?.next('A');
    expect(got).toEqual(['A', 'a is through', 'B', 'C']);
  });

  for (const order of ['source', 'none'] as const) {
    describe(`with order ${order}`, () => {
      itSettlesOnce(() => mapValueAsync((value) => timer(value % 7).pipe(map(() => value)), { maxInFlight: 3, order }));
    });
  }

  it.each([
    [{ maxInFlight: 0 }, 'Expected `maxInFlight` to be a whole number >= 1, got `0` (number).'],
    [{ order: 'key' }, "Expected `order` to be one of 'source', 'none', got `\"key\"` (string)."],
    [{ requestTimeoutMs: 0 }, 'Expected `requestTimeoutMs` to be a number of milliseconds from 1 to'],
    [{ limit: 3 }, 'Expected `mapValueAsync options` to have only known options ('],
  ])('rejects %j', (options, message) => {
    const call = () => mapValueAsync(of, options as MapValueAsyncOptions);
    expect(call).toThrow(message);
    expect(call).toThrow(OptionError);
    expect(() => mapValueAsync(1 as never)).toThrow('Expected `project` to be a function');
  });
});
