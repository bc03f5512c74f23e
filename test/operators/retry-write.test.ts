import { describe, expect, it, jest } from '@jest/globals';
import {
  defer,
  firstValueFrom,
  from,
  ignoreElements,
  map,
  mergeMap,
  NEVER,
  type Observable,
  of,
  throwError,
  timeout,
  timer,
} from 'rxjs';
import { type RetryWriteOptions, retryWrite } from '../../operators/retry-write.js';
import { transmit } from '../../operators/transmit.js';
import { OptionError } from '../../src/core/errors.js';
import { Monitor } from '../../src/core/monitor.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';
import { inVirtualTime } from '../support/virtual-time.js';
import { drawn, taken } from './marbles.js';

/** A write that takes 1, and fails the first `times` it is tried, or forever. */
function failing(times: number, cause: unknown = new Error('busy')) {
  const tried: string[] = [];
  const write = (value: string): Observable<string> =>
    timer(1).pipe(
      mergeMap(() => {
        tried.push(value);
        return tried.length <= times ? throwError(() => cause) : of(value);
      }),
    );
  return { write, tried };
}

const EXACT = { firstDelayMs: 4, jitter: 0, monitor: new Monitor() };

describe('retryWrite', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, acks$, expectObservable }) => {
      const values = '  -a----------|';
      const result = '  -------a----|';
      const acks = '    -------a-----';
      const { write } = failing(1);
      const result$ = deliveries(values).pipe(transmit(retryWrite(write, { firstDelayMs: 4, jitter: 0 })));
      expectObservable(result$).toBe(result);
      expectObservable(acks$).toBe(acks);
    }));

  itKeepsTheEnds(transmit(retryWrite(() => of('written'))));

  it('waits twice as long each time up to the most, and gives up with the last error', () =>
    drawn(({ deliveries, acker, nacks$, expectObservable, flush }) => {
      const { write, tried } = failing(99);
      const options = { ...EXACT, maxAttempts: 4, maxDelayMs: 6, breaker: { failures: 9 } };
      expectObservable(deliveries('a|').pipe(transmit(retryWrite(write, options)))).toBe('20ms |');
      // Tries end at 1, 6, 13 and 20.
      expectObservable(nacks$).toBe('20ms a');
      flush();
      expect(tried.length).toBe(4);
      expect(acker.causes.a).toMatchObject({ code: 'RXF_SINK_WRITE', message: expect.stringContaining('busy') });
    }));

  it('takes the random part off each wait', () =>
    drawn(({ deliveries, expectObservable }) => {
      const { write } = failing(1);
      const options = { ...EXACT, firstDelayMs: 8, jitter: 0.5, random: () => 0.5 };
      expectObservable(deliveries('a|').pipe(transmit(retryWrite(write, options)))).toBe('--------(a|)');
    }));

  it.each([
    ['that says it will not pass', Object.assign(new Error('bad'), { retryable: false })],
    ['that looks like a bug', new TypeError('no function')],
  ])('gives up at once on an error %s', (_, cause) =>
    drawn(({ deliveries, nacks$, expectObservable }) => {
      expectObservable(deliveries('a|').pipe(transmit(retryWrite(failing(9, cause).write, EXACT)))).toBe('-|');
      expectObservable(nacks$).toBe('-a');
    }),
  );

  it('emits the answers of the try that is complete, and none of one that failed', () =>
    drawn(({ cold, deliveries, expectObservable }) => {
      let tries = 0;
      const write = () => defer(() => cold(++tries === 1 ? '1-2-#' : '3-4-|'));
      expectObservable(deliveries('a|').pipe(transmit(retryWrite(write, EXACT)))).toBe('12ms (34|)');
    }));

  it('ends a try that takes too long, and tries again', () =>
    drawn(({ deliveries, nacks$, expectObservable, acker, flush }) => {
      const write$ = transmit(retryWrite(() => NEVER, { ...EXACT, maxAttempts: 2, requestTimeoutMs: 5 }));
      expectObservable(deliveries('a|').pipe(write$)).toBe('14ms |');
      expectObservable(nacks$).toBe('14ms a');
      flush();
      expect(acker.causes.a).toMatchObject({
        code: 'RXF_OPERATOR_TIMEOUT',
        message: expect.stringContaining('write test:stream offset 0'),
      });
    }));

  it('lets nothing through while the target fails again and again, then one try decides for all', () =>
    inVirtualTime((at) => {
      const monitor = new Monitor();
      const reported: string[] = [];
      monitor.logEvents$.subscribe(({ level, what, message }) => reported.push(`${level} ${what}: ${message}`));
      let isUp = false;
      const tries: number[] = [];
      let now = 0;
      for (let ms = 0; ms <= 200; ms += 1) at(ms, () => (now = ms));
      const write = (value: string) =>
        defer(() => {
          tries.push(now);
          return isUp ? of(value) : throwError(() => new Error('down'));
        });
      const breaker = { failures: 3, openMs: 50 };
      const out = taken(
        of(...'abcd'.split('').map((name) => new RecordingAcker().deliver(name))).pipe(
          transmit(retryWrite(write, { firstDelayMs: 1, jitter: 0, maxAttempts: 21, breaker, monitor })),
        ),
      );
      at(10, () => expect(tries.length).toBe(3));
      // One try at 50 reopens it, one at 100 finds the target up, and all go on.
      at(75, () => {
        expect(tries.length).toBe(4);
        isUp = true;
      });
      at(150, () => {
        expect([out.values.slice().sort().join(''), out.ended]).toEqual(['abcd', 'complete']);
        expect(reported).toEqual([
          'warn write.suspended: Writes keep failing: all wait until one retry succeeds.',
          'info write.resumed: Writes succeed again.',
        ]);
        expect(tries.length).toBe(8);
      });
    }));

  it('tries again though the breaker closes between two looks at the clock', async () => {
    const { write, tried } = failing(1);
    const breaker = { failures: 1, openMs: 100 };
    // Each look finds it 60 ms later.
    const real = performance.now.bind(performance);
    let skewMs = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => {
      skewMs += 60;
      return real() + skewMs;
    });
    try {
      const written$ = retryWrite(write, { ...EXACT, firstDelayMs: 1, breaker })(
        'a',
        new RecordingAcker().deliver('a'),
      );
      await firstValueFrom(from(written$).pipe(timeout(2_000)));
    } finally {
      clock.mockRestore();
    }
    expect(tried).toEqual(['a', 'a']);
  });

  it('a try that is given up does not keep the breaker waiting', () =>
    inVirtualTime((at) => {
      const mode = { answer: throwError(() => new Error('down')) as Observable<string> };
      const write = retryWrite(() => defer(() => mode.answer), {
        ...EXACT,
        maxAttempts: 1,
        breaker: { failures: 1, openMs: 10 },
      });
      const acker = new RecordingAcker();
      const send = (name: string) => taken(of(acker.deliver(name)).pipe(transmit(write)));
      send('a');
      let trying: { unsubscribe(): void };
      at(11, () => {
        mode.answer = NEVER;
        trying = send('b');
        mode.answer = of('ok');
        send('c');
      });
      at(12, () => {
        expect(acker.acks).toEqual([]);
        trying.unsubscribe();
        expect(acker.acks).toEqual(['c']);
      });
    }));

  it('does not try again what is stale', () =>
    inVirtualTime((at) => {
      const acker = new RecordingAcker();
      const { write, tried } = failing(99);
      taken(of(acker.deliver('a')).pipe(transmit(retryWrite(write, EXACT))));
      at(3, () => acker.flush$.complete());
      at(50, () => {
        expect(tried).toEqual(['a']);
        expect(acker.causes.a).toMatchObject({
          code: 'RXF_SINK_STOPPED',
          message: 'The stream was rewound while a write waited; the value is redelivered.',
        });
      });
    }));

  itSettlesOnce(({ write }) =>
    transmit(
      retryWrite((value) => write(value).pipe(ignoreElements()), { ...EXACT, maxAttempts: 1 }),
      { maxInFlight: 2 },
    ),
  );

  it('settles every value in the end, whatever fails how often', () =>
    inVirtualTime(() => {
      const acker = new RecordingAcker();
      let tries = 0;
      const write = (value: number) =>
        timer(1).pipe(
          map(() => {
            tries += 1;
            if (tries % 3 !== 0) throw new Error('down');
            return value;
          }),
        );
      taken(
        of(...Array.from({ length: 40 }, (_, n) => acker.deliver(n))).pipe(
          transmit(retryWrite(write, { ...EXACT, maxAttempts: 10, breaker: { failures: 2, openMs: 5 } })),
        ),
      );
      timer(100_000).subscribe(() => expect(acker.unsettled).toEqual([]));
    }));

  it.each([
    [{ maxAttempts: 0 }, 'Expected `maxAttempts` to be a whole number >= 1, got `0` (number).'],
    [{ jitter: 2 }, 'Expected `jitter` to be a number from 0 to 1, got `2` (number).'],
    [{ requestTimeoutMs: 0 }, 'Expected `requestTimeoutMs` to be'],
    [{ breaker: { failures: 0 } }, 'Expected `breaker.failures` to be a whole number >= 1, got `0` (number).'],
    [{ breaker: { openMs: 0 } }, 'Expected `breaker.openMs` to be'],
    [{ breaker: { closed: 1 } }, 'got `closed`'],
    [{ monitor: 1 }, 'Expected `monitor` to be a Monitor'],
    [{ monitor: null }, 'Expected `monitor` to be a Monitor'],
    [{ tries: 1 }, 'Expected `retryWrite options` to have only known options ('],
  ])('rejects %j', (options, message) => {
    const call = () => retryWrite(of, options as RetryWriteOptions);
    expect(call).toThrow(message);
    expect(call).toThrow(OptionError);
    expect(() => retryWrite(null as never)).toThrow('Expected `write` to be a function');
  });
});
