import { describe, expect, it } from '@jest/globals';
import { lastValueFrom, map, NEVER, Observable, of, Subject, take, throwError, timer } from 'rxjs';
import { type TransmitOptions, transmit } from '../../operators/transmit.js';
import type { Delivery } from '../../src/core/delivery.js';
import { ConnectError, OptionError } from '../../src/core/errors.js';
import { RecordingDuty } from '../../src/testing/recording-duty.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';
import { drawn, taken } from './marbles.js';

describe('transmit', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, acks$, expectObservable }) => {
      const values = '  -a-b-c-----|';
      const result = '  ----b-ca---|';
      const acks = '    ----b-ca----';
      const write = (value: string) => timer(value === 'a' ? 6 : 1).pipe(map(() => value));
      expectObservable(deliveries(values).pipe(transmit(write, { concurrency: 2 }))).toBe(result);
      expectObservable(acks$).toBe(acks);
    }));

  itKeepsTheEnds(transmit(() => of('written')));

  it('has never more writes under way than `concurrency`, and begins them in order', () =>
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
      expectObservable(deliveries('(abcdefghij|)').pipe(transmit(write, { concurrency: 3 })));
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
    const duty = new RecordingDuty();
    for (let n = 0; n < 9; n += 1) source$.next(duty.deliver(n));
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  it('completes when the last write has, and emits all that a write answers', () =>
    drawn(({ cold, deliveries, acks$, expectObservable }) => {
      const write = (value: string) => cold(value === 'a' ? '1-2---|' : '3|');
      expectObservable(deliveries('ab|').pipe(transmit(write))).toBe('132---|');
      expectObservable(acks$).toBe('                                --b---a');
    }));

  it('acks a write that answers nothing, and takes writes that are done at once, and promises', async () => {
    const duty = new RecordingDuty();
    const writes: Record<string, () => Observable<string> | Promise<string> | string[]> = {
      nothing: () => of(),
      now: () => ['now'],
      later: async () => 'later',
      never: () => Promise.reject(new Error('disk full')),
    };
    const source = of(...Object.keys(writes).map((name) => duty.deliver(name)));
    const results: string[] = [];
    await lastValueFrom(
      source.pipe(
        transmit((name) => (writes[name] as () => string[])()),
        map((result) => results.push(result)),
      ),
    );
    expect(results).toEqual(['now', 'later']);
    expect([duty.acks, duty.nacks]).toEqual([['nothing', 'now', 'later'], ['never']]);
    expect(duty.causes.never).toMatchObject({
      name: 'SinkError',
      code: 'RXF_SINK_WRITE',
      retryable: true,
      message: 'Cannot write test:stream offset 3: disk full',
      cause: new Error('disk full'),
    });
  });

  it('nacks a write that fails or throws, with its cause, and lives', () =>
    drawn(({ deliveries, duty, acks$, nacks$, expectObservable, flush }) => {
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
      expect(duty.causes.b).toMatchObject({ code: 'RXF_SINK_WRITE', retryable: true, cause: again });
      expect(duty.causes.c).toBe(ours);
    }));

  it.each([
    [new Error('reset'), true],
    ['a text', true],
    [Object.assign(new Error('bad request'), { retryable: false }), false],
    [new TypeError('x is not a function'), false],
  ])('a write that fails with %s may be tried again: %s', (cause, retryable) => {
    const duty = new RecordingDuty();
    of(duty.deliver('a'))
      .pipe(transmit(() => throwError(() => cause)))
      .subscribe();
    expect(duty.causes.a).toMatchObject({ code: 'RXF_SINK_WRITE', retryable });
  });

  it('nacks what is under way and what waits when it is unsubscribed, and ends the writes', () =>
    drawn(({ cold, deliveries, nacks$, acks$, duty, expectObservable, expectSubscriptions, flush }) => {
      const writing = cold<string>('-----|');
      expectObservable(deliveries('abc--d').pipe(transmit(() => writing, { concurrency: 2 })), '------!').toBe('-');
      expectObservable(acks$).toBe('  -----a');
      expectObservable(nacks$).toBe(' ------(dbc)');
      expectSubscriptions(writing.subscriptions).toBe(['^----!', '-^----!', '-----^!']);
      flush();
      expect(duty.causes.d).toMatchObject({ code: 'RXF_SINK_STOPPED', retryable: true });
      expect(String((duty.causes.b as Error).message)).toContain('during the write');
      expect(String((duty.causes.d as Error).message)).toContain('before the write began');
    }));

  it('nacks what is under way and what waits when the source fails', () =>
    drawn(({ deliveries, nacks$, expectObservable }) => {
      expectObservable(deliveries('ab-#').pipe(transmit(() => NEVER, { concurrency: 1 }))).toBe('---#');
      expectObservable(nacks$).toBe('---(ba)');
    }));

  it('nacks a write whose taker left between its answer and its completion: it is not known to be durable', () => {
    const duty = new RecordingDuty();
    taken(
      of(duty.deliver('a'), duty.deliver('b')).pipe(
        transmit(() => of(1, 2)),
        take(1),
      ),
    );
    expect(duty.log[0]).toBe('nack a');
    expect(duty.acks).toEqual([]);
  });

  it('gives the write the delivery too', () => {
    const duty = new RecordingDuty();
    const out = taken(
      of(duty.deliver('a', { offset: 9 })).pipe(transmit((value, { origin }) => of(value + origin.offset))),
    );
    expect(out.values).toEqual(['a9']);
  });

  itSettlesOnce(({ write }) => transmit(write, { concurrency: 2 }));

  it.each([
    [undefined, {}, 'Expected `write` to be a function, got `undefined` (undefined)'],
    [() => of(1), { concurrency: 0 }, 'Expected `concurrency` to be a whole number >= 1, got `0` (number)'],
    [() => of(1), { concurrency: Number.POSITIVE_INFINITY }, 'got `Infinity` (number)'],
    [
      () => of(1),
      { parallel: 2 },
      'Expected `transmit options` to have only known options (concurrency), got `parallel`',
    ],
  ])('refuses %p with %j', (write, options, message) => {
    const call = () => transmit(write as () => Observable<number>, options as TransmitOptions);
    expect(call).toThrow(message);
    expect(call).toThrow(OptionError);
  });
});
