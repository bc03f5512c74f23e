import { describe, expect, it } from '@jest/globals';
import { concat, lastValueFrom, map, NEVER, Observable, of, Subject, take, tap, throwError, timer } from 'rxjs';
import { type TransmitOptions, transmit } from '../../operators/transmit.js';
import { ConnectError, OptionError } from '../../src/core/errors.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';
import { inVirtualTime } from '../support/virtual-time.js';
import { drawn, taken } from './marbles.js';

describe('transmit', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, acks$, expectObservable }) => {
      const values = '  -a-b-c-----|';
      const result = '  ----b-ca---|';
      const acks = '    ----b-ca----';
      const write = (value: string) => timer(value === 'a' ? 6 : 1).pipe(map(() => value));
      expectObservable(deliveries(values).pipe(transmit(write, { maxInFlight: 2 }))).toBe(result);
      expectObservable(acks$).toBe(acks);
    }));

  itKeepsTheEnds(transmit(() => of('written')));

  it('has never more writes under way than `maxInFlight`, and begins them in order', () =>
    drawn(({ deliveries, expectObservable, flush }) => {
      let underWay = 0;
      let most = 0;
      const begun: string[] = [];
      const write = (value: string) =>
        new Observable<string>((writing) => {
          begun.push(value);
          underWay += 1;
          most = Math.max(most, underWay);
          writing.add(() => {
            underWay -= 1;
          });
          return timer(5 + (value.charCodeAt(0) % 3)).subscribe(() => writing.complete());
        });
      expectObservable(deliveries('(abcdefghij|)').pipe(transmit(write, { maxInFlight: 3 })));
      flush();
      expect([most, underWay, begun.join('')]).toEqual([3, 0, 'abcdefghij']);
    }));

  it('has 4 writes under way where no number is given', () => {
    const source$ = new Subject<Delivery<number>>();
    const begun: number[] = [];
    taken(
      source$.pipe(
        transmit((value) => {
          begun.push(value);
          return NEVER;
        }),
      ),
    );
    const acker = new RecordingAcker();
    for (let n = 0; n < 9; n += 1) source$.next(acker.deliver(n));
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  it('completes when the last write has, and emits all that a write answers once it is acked', () =>
    drawn(({ cold, deliveries, acks$, expectObservable }) => {
      const write = (value: string) => cold(value === 'a' ? '1-2---|' : '3|');
      expectObservable(deliveries('ab|').pipe(transmit(write))).toBe('--3---(12|)');
      expectObservable(acks$).toBe('                                --b---a');
    }));

  it('acks a write that answers nothing, and takes writes that are done at once, and promises', async () => {
    const acker = new RecordingAcker();
    const writes: Record<string, () => Observable<string> | Promise<string> | string[]> = {
      nothing: () => of(),
      now: () => ['now'],
      later: async () => 'later',
      never: () => Promise.reject(new Error('disk full')),
    };
    const source = of(...Object.keys(writes).map((name) => acker.deliver(name)));
    const results: string[] = [];
    await lastValueFrom(
      source.pipe(
        transmit((name) => (writes[name] as () => string[])()),
        map((result) => results.push(result)),
      ),
    );
    expect(results).toEqual(['now', 'later']);
    expect([acker.acks, acker.nacks]).toEqual([['nothing', 'now', 'later'], ['never']]);
    expect(acker.causes.never).toMatchObject({
      name: 'SinkError',
      code: 'RXF_SINK_WRITE',
      retryable: true,
      message: 'Cannot write test:stream offset 3: disk full.',
      cause: new Error('disk full'),
    });
  });

  it('nacks a write that fails or throws, with its cause, and lives', () =>
    drawn(({ deliveries, acker, acks$, nacks$, expectObservable, flush }) => {
      const again = Object.assign(new Error('busy'), { retryable: true });
      const ours = new ConnectError('RXF_KAFKA_AUTH', 'no password');
      const write = (value: string) => {
        if (value === 'b') throw again;
        return value === 'c' ? throwError(() => ours) : of(value);
      };
      expectObservable(deliveries('-a-b-c-d-|').pipe(transmit(write))).toBe('-a-----d-|');
      expectObservable(acks$).toBe('  -a-----d');
      expectObservable(nacks$).toBe(' ---b-c');
      flush();
      expect(acker.causes.b).toMatchObject({ code: 'RXF_SINK_WRITE', retryable: true, cause: again });
      expect(acker.causes.c).toBe(ours);
    }));

  it.each([
    [new Error('reset'), true],
    ['a text', true],
    [Object.assign(new Error('bad request'), { retryable: false }), false],
    [new TypeError('x is not a function'), false],
  ])('a write that fails with %s may be tried again: %s', (cause, retryable) => {
    const acker = new RecordingAcker();
    of(acker.deliver('a'))
      .pipe(transmit(() => throwError(() => cause)))
      .subscribe();
    expect(acker.causes.a).toMatchObject({ code: 'RXF_SINK_WRITE', retryable });
  });

  it('nacks what is under way and what waits when it is unsubscribed, and ends the writes', () =>
    drawn(({ cold, deliveries, nacks$, acks$, acker, expectObservable, expectSubscriptions, flush }) => {
      const writing = cold<string>('-----|');
      expectObservable(deliveries('abc--d').pipe(transmit(() => writing, { maxInFlight: 2 })), '------!').toBe('-');
      expectObservable(acks$).toBe('  -----a');
      expectObservable(nacks$).toBe(' ------(dbc)');
      expectSubscriptions(writing.subscriptions).toBe(['^----!', '-^----!', '-----^!']);
      flush();
      expect(acker.causes.d).toMatchObject({ code: 'RXF_SINK_STOPPED', retryable: true });
      expect(String((acker.causes.b as Error).message)).toContain('before the write ended');
      expect(String((acker.causes.d as Error).message)).toContain('before the value was processed');
    }));

  it('nacks what is under way and what waits when the source fails', () =>
    drawn(({ deliveries, nacks$, expectObservable }) => {
      expectObservable(deliveries('ab-#').pipe(transmit(() => NEVER, { maxInFlight: 1 }))).toBe('---#');
      expectObservable(nacks$).toBe('---(ba)');
    }));

  it('acks a write that has completed, whatever its taker does; the answer comes after the ack', () => {
    const acker = new RecordingAcker();
    const ackedAtAnswer: string[][] = [];
    taken(
      of(acker.deliver('a'), acker.deliver('b')).pipe(
        transmit(() => of(1, 2)),
        tap(() => ackedAtAnswer.push(acker.acks)),
        take(1),
      ),
    );
    expect([ackedAtAnswer, acker.log]).toEqual([[['a']], ['ack a']]);
  });

  it('nacks a write whose taker left between its answer and its completion: it is not known to be durable', () => {
    const acker = new RecordingAcker();
    const out = taken(of(acker.deliver('a')).pipe(transmit(() => concat(of(1), NEVER))));
    out.unsubscribe();
    expect([out.values, acker.log]).toEqual([[], ['nack a']]);
  });

  it('gives the write the delivery too', () => {
    const acker = new RecordingAcker();
    const out = taken(
      of(acker.deliver('a', { offset: 9 })).pipe(transmit((value, { origin }) => of(value + origin.offset))),
    );
    expect(out.values).toEqual(['a9']);
  });

  it('writes those of one key one after the other, in order, beside those of others', () =>
    drawn(({ deliveries, expectObservable, flush }) => {
      const begun: string[] = [];
      const write = (value: string) => {
        begun.push(value);
        return timer(value === 'a1' ? 5 : 2).pipe(map(() => value));
      };
      const values = { a: 'a1', b: 'a2', c: 'b1', d: 'a3', e: 'b2' };
      const result$ = deliveries('(abcde|)', values).pipe(
        transmit(write, { order: 'key', key: (value: string) => value[0], maxInFlight: 3 }),
      );
      expectObservable(result$).toBe('--x-yz-u-(v|)', { x: 'b1', y: 'b2', z: 'a1', u: 'a2', v: 'a3' });
      flush();
      expect(begun).toEqual(['a1', 'b1', 'b2', 'a2', 'a3']);
    }));

  it('takes the key of the origin where none is given; without one there is no order', () => {
    const source$ = new Subject<Delivery<string>>();
    const begun: string[] = [];
    taken(
      source$.pipe(
        transmit(
          (value) => {
            begun.push(value);
            return NEVER;
          },
          { order: 'key', maxInFlight: 9 },
        ),
      ),
    );
    const acker = new RecordingAcker();
    for (const [name, key] of Object.entries({ a: 'k', b: 'k', c: null, d: null, e: 'l' })) {
      source$.next(acker.deliver(name, { key: key === null ? null : Buffer.from(key) }));
    }
    expect(begun).toEqual(['a', 'c', 'd', 'e']);
  });

  it('nacks what has no key, and lives', () => {
    const acker = new RecordingAcker();
    const key = (value: string) => {
      if (value === 'b') throw new Error('no key');
      return value;
    };
    const out = taken(
      of(acker.deliver('a'), acker.deliver('b')).pipe(transmit((value) => of(value), { order: 'key', key })),
    );
    expect([out.values, acker.nacks, out.ended]).toEqual([['a'], ['b'], 'complete']);
  });

  it('writes nothing behind a nack whose stream is read anew: its key stays in order', () => {
    const nacked: string[] = [];
    const acker: RecordingAcker = new RecordingAcker('test:stream', (line) => {
      // As a source does that reads the stream again from what was nacked.
      if (line.startsWith('nack a')) acker.flush$.complete();
    });
    const source = of(acker.deliver('a'), acker.deliver('b'), acker.deliver('c'));
    const write = (value: string) => {
      nacked.push(value);
      return timer(1).pipe(
        map(() => {
          throw new Error('busy');
        }),
      );
    };
    inVirtualTime(() => taken(source.pipe(transmit(write, { order: 'key', key: () => 1 }))));
    expect([nacked, acker.nacks]).toEqual([['a'], ['a', 'b', 'c']]);
  });

  it('nacks what takes longer than the limit, where there is one', () =>
    drawn(({ deliveries, acker, nacks$, expectObservable, flush }) => {
      expectObservable(deliveries('a---|').pipe(transmit(() => NEVER, { sendTimeoutMs: 6 }))).toBe('------|');
      expectObservable(nacks$).toBe('------a');
      flush();
      expect(acker.causes.a).toMatchObject({
        code: 'RXF_OPERATOR_TIMEOUT',
        retryable: true,
        message: expect.stringContaining('write test:stream offset 0'),
      });
    }));

  itSettlesOnce(({ write }) => transmit(write, { maxInFlight: 2 }));
  describe('in order of keys', () => {
    itSettlesOnce(({ write }) => transmit(write, { maxInFlight: 3, order: 'key', key: (value: number) => value % 3 }));
  });

  it.each([
    [undefined, {}, 'Expected `write` to be a function, got `undefined` (undefined).'],
    [() => of(1), { maxInFlight: 0 }, 'Expected `maxInFlight` to be a whole number >= 1, got `0` (number).'],
    [() => of(1), { maxInFlight: Number.POSITIVE_INFINITY }, 'got `Infinity` (number).'],
    [
      () => of(1),
      { parallel: 2 },
      'Expected `transmit options` to have only known options (maxInFlight, order, sendTimeoutMs, key), got `parallel`.',
    ],
    [() => of(1), { order: 'all' }, "Expected `order` to be one of 'none', 'key', got `\"all\"` (string)."],
    [() => of(1), { key: () => 1 }, "Expected `key` to be absent without `order: 'key'`"],
    [() => of(1), { order: 'key', key: 1 }, 'Expected `key` to be a function, got `1` (number).'],
    [() => of(1), { sendTimeoutMs: -1 }, 'Expected `sendTimeoutMs` to be a number of milliseconds from 1'],
  ])('rejects %p with %j', (write, options, message) => {
    const call = () => transmit(write as () => Observable<number>, options as TransmitOptions);
    expect(call).toThrow(message);
    expect(call).toThrow(OptionError);
  });
});
