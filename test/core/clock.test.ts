import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Observable, of, Subject, type Subscription, throwError, timer } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { dedupeBy, failover, rateLimit, retryWrite, timeoutUnsettled } from '../../operators/index.js';
import { monotonicMs, timeOfDayMs } from '../../src/core/clock.js';
import { SinkError } from '../../src/core/errors.js';
import { Monitor } from '../../src/core/monitor.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { amqpSource, flumeSource, httpSink } from '../../src/index.js';
import { MemoryAmqp, MemoryFlume, MemoryHttp, RecordingAcker } from '../../src/testing/index.js';

afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

describe('monotonicMs', () => {
  it('is virtual inside a TestScheduler, as is the time of day', () => {
    const seen: number[] = [];
    new TestScheduler(() => undefined).run(() => {
      timer(0).subscribe(() => seen.push(monotonicMs(), timeOfDayMs()));
      timer(7).subscribe(() => seen.push(monotonicMs(), timeOfDayMs()));
    });
    expect(seen).toEqual([0, 0, 7, 7]);
  });

  it('goes on where the time of day is set, and stays real where that happens in between', () => {
    const before = monotonicMs();
    const real = Date.now();
    jest.spyOn(Date, 'now').mockReturnValue(real - 3_600_000);
    expect(monotonicMs() - before).toBeLessThan(10_000);
    expect(monotonicMs()).toBeGreaterThanOrEqual(before);
    // It is set between two readings.
    jest
      .spyOn(Date, 'now')
      .mockReturnValueOnce(real)
      .mockReturnValue(real + 3_600_000);
    expect(monotonicMs() - before).toBeLessThan(10_000);
    expect(timeOfDayMs()).toBe(real + 3_600_000);
  });

  it('stays real where a machine without a clock of its own begins in 1970', () => {
    const before = monotonicMs();
    jest.spyOn(Date, 'now').mockReturnValue(12_345);
    expect(monotonicMs()).toBeGreaterThanOrEqual(before);
  });
});

type Report = (what: string) => void;

/** Things that wait: each tells what it does, and when is noted. All run for a minute. */
const WAITING: Readonly<Record<string, (report: Report) => Subscription>> = {
  rateLimit: (report) => {
    const { acker, source$ } = fed();
    const running = source$.pipe(rateLimit({ count: 1, perMs: 2_000 })).subscribe(({ value }) => report(value));
    for (const name of 'abcdef') source$.next(acker.deliver(name));
    return running;
  },

  dedupeBy: (report) => {
    const { acker, source$ } = fed();
    const running = source$.pipe(dedupeBy((value: string) => value, { windowMs: 5_000 })).subscribe((delivery) => {
      report(delivery.value);
      delivery.ack();
    });
    running.add(timer(0, 1_000).subscribe(() => source$.next(acker.deliver('a'))));
    return running;
  },

  timeoutUnsettled: (report) => {
    const { acker, source$, monitor } = fed(report);
    const running = source$.pipe(timeoutUnsettled({ name: 'x', afterMs: 5_000, monitor })).subscribe();
    source$.next(acker.deliver('a'));
    return running;
  },

  'the breaker of retryWrite': (report) => {
    const { acker, monitor } = fed();
    let n = 0;
    const write = (value: string): Observable<string> => {
      report(`try ${++n}`);
      return n > 6 ? of(value) : throwError(() => new Error('busy'));
    };
    const options = { maxAttempts: 10, firstDelayMs: 500, jitter: 0, breaker: { failures: 2, openMs: 4_000 }, monitor };
    return retryWrite(write, options)('a', acker.deliver('a')).subscribe((value) => report(value));
  },

  'the breaker of failover': (report) => {
    const { acker, source$, monitor } = fed();
    const sinkOf = (name: string, isBroken: boolean) => (deliveries$: Observable<Delivery<string>>) =>
      new Observable<never>(() =>
        deliveries$.subscribe((delivery) => {
          report(`${name} ${delivery.value}`);
          if (isBroken) delivery.nack(new SinkError('RXF_SINK_WRITE', 'busy'));
          else delivery.ack();
        }),
      );
    const options = { failures: 1, openMs: 4_000, monitor };
    const running = source$.pipe(failover([sinkOf('first', true), sinkOf('second', false)], options)).subscribe();
    running.add(timer(0, 1_000).subscribe((n) => source$.next(acker.deliver(String(n)))));
    return running;
  },

  'Retry-After of httpSink': (report) => {
    const { acker, source$, monitor } = fed();
    const http = new MemoryHttp();
    http.answer = (_, n) => {
      report(`request ${n}`);
      return n < 3 ? { status: 503, headers: { 'retry-after': '3' } } : 200;
    };
    const options = { url: 'http://store/', retry: { jitter: 0, maxAttempts: 10 }, batch: { maxWaitMs: 10 }, monitor };
    const running = httpSink<string>(http, options)
      .write()(source$)
      .subscribe(({ values }) => report(`${values} stored`));
    source$.next(acker.deliver('a'));
    return running;
  },

  'settleAfterMs of amqpSource': (report) => {
    const { monitor } = fed();
    const amqp = new MemoryAmqp();
    amqp.createQueue('chat');
    const running = amqpSource(amqp, { queues: ['chat'], settleAfterMs: 8_000, monitor }).subscribe(
      ({ value, acker }) => {
        report(String(value));
        acker.flush$.subscribe((signal) => report(signal));
      },
    );
    running.add(timer(500).subscribe(() => amqp.publish('', 'chat', 'a')));
    return running;
  },

  'settleAfterMs of flumeSource': (report) => {
    const { monitor } = fed();
    const flume = new MemoryFlume();
    const running = flumeSource(flume.server(), { name: 'x', settleAfterMs: 8_000, monitor }).subscribe(
      ({ value, acker }) => {
        report(String(value.body));
        acker.flush$.subscribe((signal) => report(signal));
      },
    );
    running.add(
      timer(500).subscribe(() => {
        const client = flume.connect(0).subscribe((connection) => {
          running.add(connection.append([{ headers: {}, body: Buffer.from('a') }]).subscribe());
        });
        running.add(client);
      }),
    );
    return running;
  },
};

function fed(report: Report = () => undefined) {
  const monitor = new Monitor();
  monitor.logEvents$.subscribe(({ what, message }) => report(`${what} ${message}`));
  return {
    acker: new RecordingAcker(),
    source$: new Subject<Delivery<string>>(),
    monitor,
  };
}

/** What is told within a minute, and when, while the time of day is set by `stepMs` now and then. */
function reportedBy(start: (report: Report) => Subscription, stepMs: (n: number) => number): string[] {
  jest.useFakeTimers({ now: 1_800_000_000_000 });
  const lines: string[] = [];
  const startedAt = performance.now();
  const running = start((what) => lines.push(`${Math.round(performance.now() - startedAt)} ${what}`));
  for (let n = 0; n < 60; n += 1) {
    jest.advanceTimersByTime(700);
    jest.setSystemTime(Date.now() + stepMs(n));
    jest.advanceTimersByTime(300);
  }
  running.unsubscribe();
  jest.useRealTimers();
  return lines;
}

const AN_HOUR_MS = 3_600_000;

describe.each(Object.entries(WAITING))('%s', (_, start) => {
  it.each([
    ['is set back once', (n: number) => (n === 1 ? -AN_HOUR_MS : 0)],
    ['is set forward once', (n: number) => (n === 1 ? AN_HOUR_MS : 0)],
    ['is set back again and again', () => -AN_HOUR_MS],
    ['is set back and forth', (n: number) => (n % 2 === 0 ? -AN_HOUR_MS : AN_HOUR_MS)],
  ])('waits no longer and no shorter when the time of day %s', (__, stepMs) => {
    const undisturbed = reportedBy(start, () => 0);
    expect(undisturbed.length).toBeGreaterThan(1);
    expect(reportedBy(start, stepMs)).toEqual(undisturbed);
  });
});
