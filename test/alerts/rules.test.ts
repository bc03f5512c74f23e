import { afterEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { concatMap, map, of, Subject, throwError, timer } from 'rxjs';
import { type AlertPhase, nextPhase, type Reading, UNKNOWN } from '../../src/alerts/alert-phase.js';
import {
  type AlertEvent,
  type AlertRule,
  alerts,
  alertWhen,
  builtInAlerts,
  type FlowSnapshot,
  flowSnapshots,
  testAlerts,
} from '../../src/alerts/index.js';
import { Monitor } from '../../src/core/monitor.js';
import type { FlowStatus, SourceStatus } from '../../src/metrics/status.js';
import { marbles } from '../../src/testing/index.js';
import { inVirtualTime } from '../support/virtual-time.js';

afterEach(() => {
  jest.restoreAllMocks();
});

/** The states of one rule, each by its first letter; `inactive` is `i`. */
const letters = map(({ state }: AlertEvent) => state.charAt(0));

describe('alertWhen', () => {
  const values = { l: 20, m: 85, h: 95, u: undefined };
  const hot = (options: object = {}) =>
    alertWhen<number | undefined>({
      name: 'Hot',
      when: (celsius) => (celsius === undefined ? undefined : celsius > 90),
      clearWhen: (celsius) => (celsius ?? 0) < 80,
      ...options,
    });

  it('is as drawn: pending, firing, resolved by two clear samples, and firing again', () =>
    marbles((m) => {
      const celsius = '-l-l-h-h-h-m-l-m-l-l-h-h-h-|';
      const states = '---i-p---f---------r-p---f-|';
      m.expectObservable(m.cold(celsius, values).pipe(hot({ forMs: 4 }), letters)).toBe(states);
    }));

  it('takes a missing sample for no data, never for resolved, and pending begins anew', () =>
    marbles((m) => {
      const celsius = '-h-u-u-l-l-h-h-|';
      const states = '-f-n---f-r-f---|';
      m.expectObservable(m.cold(celsius, values).pipe(hot(), letters)).toBe(states);
      const waiting = '-h-u-h-h-h-|';
      const waited = '-p-n-p---f-|';
      m.expectObservable(m.cold(waiting, values).pipe(hot({ forMs: 4 }), letters)).toBe(waited);
    }));

  it('keeps firing for as long as asked, and has no data after `staleAfterMs`', () =>
    marbles((m) => {
      const celsius = '-h-l-l-l-l-|';
      const states = '-f-----r---|';
      m.expectObservable(m.cold(celsius, values).pipe(hot({ keepFiringForMs: 6 }), letters)).toBe(states);
      const silent = '-h---------l-l-|';
      const states2 = '-f----n----f-r-|';
      m.expectObservable(m.cold(silent, values).pipe(hot({ staleAfterMs: 5 }), letters)).toBe(states2);
    }));

  it('has an alert for each set of labels of a snapshot, and no data of one that is absent', () =>
    marbles((m) => {
      const rule = alertWhen<Record<string, number>, [string, number]>({
        name: 'Hot',
        of: (snapshot) => Object.entries(snapshot),
        when: ([, celsius]) => celsius > 90,
        labels: ([room]) => ({ room }),
        annotations: ([room, celsius]) => ({ summary: `${room} ${celsius}` }),
      });
      const snapshots = { a: { x: 95, y: 20 }, b: { x: 96 }, c: { y: 20 }, d: { x: 20, y: 20 } };
      const shown = map(({ state, labels, annotations, isFiring }: AlertEvent) =>
        [labels.room, state, isFiring, annotations.summary ?? ''].join(' '),
      );
      const rows = '-a-a-b-c-c-d-d-|';
      m.expectObservable(m.cold(rows, snapshots).pipe(rule, shown)).toBe('-f-i-n-m-i-b-r-|', {
        f: 'x firing true x 95',
        i: 'y inactive false ',
        n: 'y noData false ',
        m: 'x noData true x 96',
        b: 'x firing true x 96',
        r: 'x resolved false x 96',
      } as never);
    }));

  it('makes an alert of a rule that throws, which ends when it works, and the alert itself has no data', () =>
    inVirtualTime((at) => {
      const monitor = new Monitor();
      const logged: string[] = [];
      monitor.logEvents$.subscribe(({ what, message }) => logged.push(`${what}: ${message}`));
      const rule = alertWhen<number>({
        name: 'Odd',
        when: (value) => {
          if (value < 0) throw new TypeError(`no ${value}`);
          return value > 1;
        },
        monitor,
      });
      const seen: string[] = [];
      timer(0, 10)
        .pipe(
          map((n) => [2, -1, -1, 2, 2][n] as number),
          concatMap((value) => of(value)),
          rule,
        )
        .subscribe(({ state, labels }) => seen.push(`${labels.alertname} ${state}`));
      at(45, () => {
        expect(seen).toEqual([
          'Odd firing',
          'Odd noData',
          'AlertRuleFailed firing',
          'Odd firing',
          'AlertRuleFailed resolved',
        ]);
        expect(logged).toEqual([
          'alerts.rule: Rule Odd threw, and says nothing of such samples until it is corrected: no -1.',
        ]);
      });
    }));

  it('neither fires nor resolves when the clock is set', () => {
    const input$ = new Subject<number>();
    const seen: string[] = [];
    input$.pipe(hot({ forMs: 60_000, keepFiringForMs: 60_000 }), letters).subscribe((letter) => seen.push(letter));
    const real = Date.now();
    const date = jest.spyOn(Date, 'now');
    for (const jump of [0, 86_400_000, -86_400_000]) {
      date.mockReturnValue(real + jump);
      input$.next(95);
    }
    expect(seen).toEqual(['p']);
    date.mockRestore();
    input$.complete();
  });

  it('watches no more than `maxAlerts` alerts, and logs that once', () => {
    const monitor = new Monitor();
    const logged: string[] = [];
    monitor.logEvents$.subscribe(({ what }) => logged.push(what));
    const rule = alertWhen<number>({
      name: 'Many',
      when: () => true,
      labels: (n) => ({ n: String(n) }),
      maxAlerts: 2,
      monitor,
    });
    const seen: unknown[] = [];
    of(1, 2, 3, 4, 1)
      .pipe(rule)
      .subscribe(({ labels }) => seen.push(labels.n));
    expect([seen, logged]).toEqual([['1', '2'], ['alerts.full']]);
  });

  it('rejects bad options at the call', () => {
    const when = () => true;
    expect(() => alertWhen({ name: '', when })).toThrow(/name/);
    expect(() => alertWhen({ name: 'A', when, forMs: -1 })).toThrow(/forMs/);
    expect(() => alertWhen({ name: 'A', when, clears: 0 })).toThrow(/clears/);
    expect(() => alertWhen({ name: 'A', when, severity: 'bad' as never })).toThrow(/severity/);
    expect(() => alertWhen({ name: 'A', when: 1 as never })).toThrow(/when/);
  });
});

describe('the phases of an alert', () => {
  const reading = fc.constantFrom<Reading>('bad', 'clear', 'between', 'missing');
  const rules = fc.record({
    forMs: fc.constantFrom(0, 10, 30),
    keepFiringForMs: fc.constantFrom(0, 15),
    clears: fc.integer({ min: 1, max: 3 }),
  });

  it('never resolve by a missing sample, nor fire before it held for long enough', () => {
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 40 }), rules, (readings, given) => {
        let phase: AlertPhase = UNKNOWN;
        let badSince: number | undefined;
        for (const [at, one] of readings.entries()) {
          const now = 1_000 + at * 10;
          const before = phase;
          const { phase: after, change } = nextPhase(before, one, now, given);
          if (one === 'bad') badSince ??= now;
          else badSince = undefined;
          if (change === 'firing' && before.state !== 'firing') {
            expect([one, now - (badSince ?? now) >= given.forMs]).toEqual(['bad', true]);
          }
          if (change === 'resolved') {
            const lasting = readings.slice(at + 1 - given.clears, at + 1);
            expect(lasting.filter((last) => last === 'clear').length).toBe(given.clears);
          }
          if (one === 'missing') {
            expect(change === undefined || change === 'noData').toBe(true);
            if (before.state === 'firing') expect(after.state).toBe('firing');
          }
          phase = after;
        }
      }),
    );
  });
});

describe('alerts', () => {
  const works = alertWhen<number>({ name: 'Works', when: (n) => n > 1 });

  it('goes on without a rule that fails, which is an alert and starts anew', () =>
    inVirtualTime((at) => {
      let starts = 0;
      const broken: AlertRule<number> = (observed$) => {
        starts += 1;
        return observed$.pipe(concatMap(() => throwError(() => new Error('not so'))));
      };
      const seen: string[] = [];
      const values$ = new Subject<number>();
      alerts(values$, [broken, works]).subscribe(({ labels, state }) => seen.push(`${labels.alertname} ${state}`));
      values$.next(2);
      at(61_000, () => expect(starts).toBe(2));
      at(130_000, () => {
        expect(seen).toEqual(['AlertRuleFailed firing', 'Works firing', 'AlertRuleFailed resolved']);
        values$.complete();
      });
    }));

  it('fails as what is observed does, and rejects what is no list of rules', () => {
    const errors: unknown[] = [];
    alerts(
      throwError(() => new Error('gone')),
      [works],
    ).subscribe({ error: (error: Error) => errors.push(error.message) });
    expect(errors).toEqual(['gone']);
    expect(() => alerts(of(1), works as never)).toThrow(/rules/);
  });
});

describe('testAlerts', () => {
  const hot = alertWhen({ name: 'Hot', when: (celsius: number) => celsius > 90, forMs: 20_000 });
  const values = { a: 20, h: 95 };

  it('compares what is drawn, and shows the rows that differ', () => {
    const rows = { everyMs: 10_000, observed: 'ahhhaa', values };
    const cases = [
      { name: 'good', ...rows, expected: { Hot: '-p-f-r' } },
      { name: 'bad', ...rows, expected: { Hot: '-pf--r', Cold: 'f' } },
    ];
    expect(testAlerts([hot], cases)).toEqual([
      { name: 'good', differences: [] },
      {
        name: 'bad',
        differences: [
          { alert: 'Hot', expected: '-pf--r', actual: '-p-f-r' },
          { alert: 'Cold', expected: 'f', actual: '' },
        ],
      },
    ]);
    expect(() => testAlerts([hot], [{ name: 'x', ...rows, observed: 'z', expected: {} }])).toThrow(/observes `z`/);
  });
});

describe('the built-in rules', () => {
  const source = (given: Partial<SourceStatus> = {}): SourceStatus => ({
    source: 'kafka',
    name: 'lake',
    joined: 1,
    streams: [],
    ...given,
  });
  const status = (given: Partial<FlowStatus> = {}): FlowStatus => ({
    flow: 'chat',
    state: 'running',
    sources: [source()],
    operators: [],
    sinks: [],
    deadLetters: {},
    ...given,
  });
  const snapshot = (given: Partial<FlowStatus> = {}, ...logEvents: string[]): FlowSnapshot => ({
    flows: [status(given)],
    logEvents: logEvents.map((what) => ({ level: 'warn', what, message: `${what}.` })),
  });
  const old = (oldestUnsettledSeconds: number, more = {}) =>
    snapshot({ sources: [source({ streams: [{ stream: 'kafka:chat/0', oldestUnsettledSeconds, ...more }] })] });
  const counted = (nacked: number, rebalances: number, letters: number) =>
    snapshot({
      sources: [source({ nacked, rebalances })],
      deadLetters: letters === 0 ? {} : { RXF_DECODE_SYNTAX: letters },
    });

  /** What was seen once and is gone, though it did not fire. */
  const NO_DATA = Object.fromEntries(
    ['DataTooOld', 'NoProgress', 'RetentionHeadroom', 'Nacks', 'RebalanceStorm'].map((name) => [name, '-n']),
  );
  const rows: [string, Record<string, FlowSnapshot>, string, Record<string, string>][] = [
    ['age', { g: snapshot(), o: old(-1) }, 'gooogg', { DataTooOld: '-f---r' }],
    [
      'progress, which waits for nothing else',
      { g: snapshot(), s: snapshot({ sources: [source({ noProgressSeconds: 61 })] }) },
      'gsgg',
      { NoProgress: '-f-r' },
    ],
    [
      'headroom',
      { g: snapshot(), h: old(1e12, { retentionHeadroomSeconds: 21_599 }) },
      'ghgg',
      { RetentionHeadroom: '-f-r' },
    ],
    [
      'nacks, rebalances and dead letters, also of a reason that is new',
      { a: counted(1_000, 50, 0), b: counted(1_101, 61, 101) },
      `ab${'b'.repeat(100)}`,
      { Nacks: `-f${'-'.repeat(91)}r`, RebalanceStorm: `-f${'-'.repeat(91)}r`, DeadLetters: `-f${'-'.repeat(91)}r` },
    ],
    ['a restart of a counter', { a: counted(1_000, 0, 0), b: counted(90, 0, 0) }, 'abbb', {}],
    ['the end of a flow', { g: snapshot(), f: snapshot({ state: 'failed' }) }, 'gffg', { FlowStopped: '-f-r' }],
    [
      'a flow that is gone',
      { f: snapshot({ state: 'failed' }), n: { flows: [], logEvents: [] } },
      'fnnn',
      { FlowStopped: 'fn', ...NO_DATA },
    ],
    [
      'the breaker',
      { g: snapshot(), o: snapshot({}, 'write.suspended'), c: snapshot({}, 'write.resumed') },
      'goggcg',
      { BreakerOpen: '-f---r' },
    ],
    [
      'storage and ledger, for ten minutes',
      { g: snapshot(), o: snapshot({}, 'RXF_FILES_FULL', 'RXF_LEDGER_DAMAGED') },
      `go${'g'.repeat(70)}`,
      { StorageFull: `-f${'-'.repeat(60)}r`, LedgerProblem: `-f${'-'.repeat(60)}r` },
    ],
  ];

  it.each(rows)('watch %s', (name, values, observed, expected) => {
    const limits = { maxAgeMs: 0 };
    const own = name === 'age' ? builtInAlerts(limits) : builtInAlerts();
    expect(testAlerts(own, [{ name, everyMs: 10_000, observed, values, expected }])).toEqual([
      { name, differences: [] },
    ]);
  });

  it('are off at an infinite limit, and reject other limits', () => {
    const observed = {
      everyMs: 1_000,
      observed: 'gs',
      values: { g: snapshot(), s: snapshot({ sources: [source({ noProgressSeconds: 1e6 })] }) },
    };
    const [result] = testAlerts(builtInAlerts({ maxNoProgressMs: Number.POSITIVE_INFINITY }), [
      { name: 'off', ...observed, expected: {} },
    ]);
    expect(result?.differences).toEqual([]);
    expect(() => builtInAlerts({ maxAgeMs: -1 })).toThrow(/maxAgeMs/);
  });

  it('get snapshots of a monitor, with what was logged since the last', () =>
    inVirtualTime((at) => {
      const monitor = new Monitor();
      const seen: FlowSnapshot[] = [];
      const reading = flowSnapshots({ intervalMs: 1_000, monitor }).subscribe((one) => seen.push(one));
      at(500, () => monitor.logEvent('warn', 'write.suspended', 'Full.'));
      at(2_500, () => {
        reading.unsubscribe();
        expect(seen.map(({ logEvents }) => logEvents.map(({ what }) => what))).toEqual([[], ['write.suspended'], []]);
      });
    }));
});
