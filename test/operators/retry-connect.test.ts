import { describe, expect, it } from '@jest/globals';
import { asyncScheduler, concat, defer, NEVER, type Observable, of, Subject, take, tap, throwError, timer } from 'rxjs';
import { drainOn } from '../../operators/drain-on.js';
import { type RetryConnectOptions, retryConnect } from '../../operators/retry-connect.js';
import { ConnectError, OptionError, SourceError } from '../../src/core/errors.js';
import { Monitor } from '../../src/core/monitor.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { Source } from '../../src/delivery/source.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';
import { inVirtualTime } from '../support/virtual-time.js';
import { drawn, taken } from './marbles.js';

const lost = new ConnectError('RXF_KAFKA_LOST', 'Broker k1 is gone.');

/** Each subscription takes the next of these sources; the last stays. */
function inTurn<T>(...sources: Observable<T>[]): Observable<T> {
  let at = 0;
  return defer(() => sources[Math.min(at++, sources.length - 1)] as Observable<T>);
}

/** When a source that always fails at once is subscribed to, in ms, up to a minute. */
function attemptsAt(options: RetryConnectOptions) {
  const frames: number[] = [];
  inVirtualTime((at) => {
    const failing = defer(() => {
      frames.push(asyncScheduler.now());
      return throwError(() => lost);
    });
    const out = taken(failing.pipe(retryConnect(options)));
    at(60_000, () => out.unsubscribe());
  });
  return frames;
}

describe('retryConnect', () => {
  it('is as drawn', () =>
    drawn(({ cold, expectObservable, expectSubscriptions }) => {
      const fails = cold<string>('-#', undefined, lost);
      const lives = cold('              -a-b-|');
      //      source   -#   -#       -a-b-|
      const result = '---------------a-b-|';
      const result$ = inTurn<string>(fails, fails, lives).pipe(retryConnect({ firstDelayMs: 4, jitter: 0 }));
      expectObservable(result$).toBe(result);
      expectSubscriptions(fails.subscriptions).toBe(['^!', '-----^!']);
      expectSubscriptions(lives.subscriptions).toBe('--------------^----!');
    }));

  itKeepsTheEnds((source) => source.pipe(retryConnect()));

  it('doubles each wait up to the longest', () => {
    expect(attemptsAt({ firstDelayMs: 100, maxDelayMs: 500, jitter: 0, maxAttempts: 5 })).toEqual([
      0, 100, 300, 700, 1_200, 1_700,
    ]);
  });

  it('takes the random part off each wait', () => {
    const jittered = { firstDelayMs: 100, maxAttempts: 2, random: () => 0.5 };
    expect(attemptsAt({ ...jittered, jitter: 1 })).toEqual([0, 50, 150]);
    expect(attemptsAt({ ...jittered, jitter: 0.5 })).toEqual([0, 75, 225]);
    expect(attemptsAt({ ...jittered, jitter: 0 })).toEqual([0, 100, 300]);
  });

  it('waits half a second at first, half a minute at most, half of it random, ten times where nothing is given', () => {
    expect(attemptsAt({ random: () => 0 })).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    expect(attemptsAt({ random: () => 1, maxDelayMs: 1_000 }).length).toBe(11);
  });

  it('tells of waits in a line each, of those soon after the last one how many, and gives up after so many in a row', () =>
    inVirtualTime((at) => {
      const lostAnew = () => new ConnectError('RXF_KAFKA_LOST', 'Broker k1 is gone.');
      const monitor = new Monitor();
      const logEvents: string[] = [];
      monitor.logEvents$.subscribe(({ level, what, message }) => logEvents.push(`${level} ${what}: ${message}`));
      const out = taken(
        throwError(lostAnew).pipe(retryConnect({ maxAttempts: 5, firstDelayMs: 1_000, jitter: 0, monitor })),
      );
      at(100_000, () => {
        expect(out).toMatchObject({ ended: 'error', error: { code: 'RXF_KAFKA_LOST' } });
        expect(logEvents).toEqual([
          'warn RXF_KAFKA_LOST: Broker k1 is gone. Retrying in 1000 ms (1 of 5).',
          'warn RXF_KAFKA_LOST: Broker k1 is gone. Retrying in 16000 ms (5 of 5). (3 similar failures since the last report.)',
        ]);
      });
    }));

  it('counts anew after the first value', () =>
    inVirtualTime((at) => {
      const once = concat(
        of('a'),
        throwError(() => lost),
      );
      const out = taken(once.pipe(retryConnect({ maxAttempts: 1, firstDelayMs: 10, jitter: 0 })));
      at(105, () => {
        expect([out.values.length, out.ended]).toEqual([11, '']);
        out.unsubscribe();
      });
    }));

  it.each([
    ['one that may not be retried', new ConnectError('RXF_KAFKA_AUTH', 'no password')],
    ['one that is no ConnectError', new SourceError('RXF_SOURCE_DRAIN_TIMEOUT', 'late')],
    ['a foreign one', new Error('bug')],
  ])('passes on at once an error that is %s', (_, error) => {
    expect(taken(throwError(() => error).pipe(retryConnect()))).toMatchObject({ ended: 'error', error });
  });

  it('retries what says of itself that it may be retried', () =>
    drawn(({ cold, expectObservable }) => {
      const busy = new ConnectError('RXF_KAFKA_AUTH', 'rotating keys', { retryable: true });
      const result$ = inTurn(cold<string>('#', undefined, busy), cold('a|'));
      expectObservable(result$.pipe(retryConnect({ firstDelayMs: 3, jitter: 0 }))).toBe('---a|');
    }));

  it('connects no more after it was unsubscribed during a wait', () => {
    let connects = 0;
    inVirtualTime((at) => {
      const failing = defer(() => {
        connects += 1;
        return throwError(() => lost);
      });
      const out = taken(failing.pipe(retryConnect({ firstDelayMs: 10, jitter: 0 })));
      at(15, () => out.unsubscribe());
    });
    expect(connects).toBe(2);
  });

  it('waits no time at all where that is asked, however often', () => {
    expect(attemptsAt({ firstDelayMs: 0, maxAttempts: 1_100, random: () => 0 })).toEqual(Array(1_101).fill(0));
  });

  describe('behind a source', () => {
    /** Fails, connects for good at the nth time; completes when it is told to drain. */
    const drainable = (failures: number, connects: string[] = []) => {
      let attempt = 0;
      return new Source<string>((subscriber, stop$) => {
        attempt += 1;
        connects.push(`connect ${attempt}`);
        if (attempt <= failures) return subscriber.error(lost);
        subscriber.next(`from ${attempt}`);
        return stop$.pipe(take(1)).subscribe(() => {
          connects.push('drained');
          subscriber.complete();
        });
      });
    };
    const options = { firstDelayMs: 10, jitter: 0 };

    it('completes when the stop signal comes during a wait, and connects no more', () =>
      inVirtualTime((at) => {
        const connects: string[] = [];
        const out = taken(drainable(99, connects).pipe(retryConnect(options), drainOn(timer(15))));
        at(14, () => expect(out.ended).toBe(''));
        at(16, () => expect(out.ended).toBe('complete'));
        at(500, () => expect(connects).toEqual(['connect 1', 'connect 2']));
      }));

    it('hands the stop signal to the connection that is open', () =>
      inVirtualTime((at) => {
        const connects: string[] = [];
        const out = taken(drainable(1, connects).pipe(retryConnect(options), drainOn(timer(15))));
        at(16, () => {
          expect(connects).toEqual(['connect 1', 'connect 2', 'drained']);
          expect([out.values, out.ended]).toEqual([['from 2'], 'complete']);
        });
      }));

    it('starts a cold stop signal once, not at each connection', () =>
      inVirtualTime((at) => {
        let starts = 0;
        const stop$ = timer(35).pipe(tap({ subscribe: () => (starts += 1) }));
        const out = taken(drainable(2).pipe(retryConnect(options), drainOn(stop$)));
        at(36, () => expect([out.values, out.ended, starts]).toEqual([['from 3'], 'complete', 1]));
      }));

    it('connects no more when the connection is lost after the stop signal: what was out is not committed, so it fails', () =>
      inVirtualTime((at) => {
        const stop$ = new Subject<void>();
        let connects = 0;
        const source = new Source<string>((subscriber, stopping$) => {
          connects += 1;
          return stopping$.subscribe(() => timer(5).subscribe(() => subscriber.error(lost)));
        });
        const out = taken(source.pipe(retryConnect(options), drainOn(stop$)));
        at(10, () => stop$.next());
        at(500, () => {
          expect(out).toMatchObject({ ended: 'error', error: lost });
          expect(connects).toBe(1);
        });
      }));

    it('stays a source: it can be drained from behind, and is cold', () => {
      const connects: string[] = [];
      const source = drainable(0, connects).pipe(retryConnect(options));
      expect(source).toBeInstanceOf(Source);
      expect(connects).toEqual([]);
      expect(taken(source.pipe(drainOn(of('now')))).ended).toBe('complete');
    });

    it('drains at once with a stop signal that is there from the start', () => {
      const out = taken(drainable(0).pipe(drainOn(of('now')), retryConnect(options), drainOn(NEVER)));
      expect([out.values, out.ended]).toEqual([['from 1'], 'complete']);
    });
  });

  itSettlesOnce(() => retryConnect<Delivery<number>>());

  it.each([
    [{ maxAttempts: -1 }, 'Expected `maxAttempts` to be a whole number >= 0, got `-1` (number).'],
    [
      { firstDelayMs: Number.NaN },
      'Expected `firstDelayMs` to be a number of milliseconds from 0 to 2147483647, got `NaN`',
    ],
    [{ maxDelayMs: 2 ** 31 }, 'Expected `maxDelayMs` to be a number of milliseconds from 0 to 2147483647'],
    [{ jitter: 1.5 }, 'Expected `jitter` to be a number from 0 to 1, got `1.5` (number).'],
    [{ jitter: '0.5' }, 'Expected `jitter` to be a number from 0 to 1, got `"0.5"` (string).'],
    [{ random: 4 }, 'Expected `random` to be a function, got `4` (number).'],
    [{ monitor: null }, 'Expected `monitor` to be a Monitor, got `null` (null).'],
    [{ monitor: console }, 'Expected `monitor` to be a Monitor, got `console` (object).'],
    [
      { delay: 1 },
      'Expected `retryConnect options` to have only known options (maxAttempts, firstDelayMs, maxDelayMs, jitter, random, monitor), got `delay`.',
    ],
  ])('rejects %j', (options, message) => {
    const call = () => retryConnect(options as RetryConnectOptions);
    expect(call).toThrow(message);
    expect(call).toThrow(OptionError);
  });
});
