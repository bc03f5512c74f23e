import { describe, expect, it } from '@jest/globals';
import { NEVER, Observable, of, Subject, take, throwError, timer } from 'rxjs';
import { drainOn } from '../../operators/drain-on.js';
import { type MergeSourcesOptions, mergeSources, type TargetStatus } from '../../operators/merge-sources.js';
import { ConnectError, OptionError, SourceError } from '../../src/core/errors.js';
import { Source } from '../../src/delivery/source.js';
import { inVirtualTime } from '../support/virtual-time.js';
import { drawn, taken } from './marbles.js';

const AWAY = new ConnectError('RXF_KAFKA_UNREACHABLE', 'away');
const EXACT = { firstDelayMs: 4, jitter: 0 };

/** A source that gives the nth of these at its nth subscription, the last one also later; it completes when drained. */
function sourceOf<T>(...rows: Observable<T>[]): Source<T> & { connects: number } {
  const source = new Source<T>((subscriber, stop$) => {
    const row = rows[Math.min(source.connects, rows.length - 1)] as Observable<T>;
    source.connects += 1;
    subscriber.add(stop$.subscribe(() => subscriber.complete()));
    return row.subscribe(subscriber);
  }) as Source<T> & { connects: number };
  source.connects = 0;
  return source;
}

function reported(merged: { readonly status$: Observable<TargetStatus> }) {
  const lines: string[] = [];
  merged.status$.subscribe(({ target, state, failures }) => lines.push(`${target} ${state} ${failures}`));
  return lines;
}

describe('mergeSources', () => {
  it('is as drawn', () =>
    drawn(({ cold, expectObservable }) => {
      const one = '     -a---b-----|';
      const two = '     -#   -c---|';
      const result = '  -a---bc----|';
      const [first, again] = two.trim().split(/ +/) as [string, string];
      const sources = [sourceOf(cold(one)), sourceOf(cold(first, undefined, AWAY), cold(again))];
      expectObservable(mergeSources(sources, { firstDelayMs: 4, jitter: 0 })).toBe(result);
    }));

  it('connects so many at once: one slot is free when something came, it ended, or it took too long', () =>
    inVirtualTime((at) => {
      const subjects = Array.from({ length: 4 }, () => new Subject<number>());
      const sources = subjects.map((subject) => sourceOf(subject));
      const out = taken(mergeSources(sources, { ...EXACT, maxConnecting: 1, connectMs: 50 }));
      const connects = () => sources.map((source) => source.connects);
      expect(connects()).toEqual([1, 0, 0, 0]);
      subjects[0]?.next(1);
      expect(connects()).toEqual([1, 1, 0, 0]);
      subjects[1]?.error(new SourceError('RXF_KAFKA_PROTOCOL', 'damaged'));
      expect(connects()).toEqual([1, 1, 1, 0]);
      at(49, () => expect(connects()).toEqual([1, 1, 1, 0]));
      at(50, () => {
        expect(connects()).toEqual([1, 1, 1, 1]);
        subjects[2]?.next(2);
        expect(out).toMatchObject({ values: [1, 2], ended: '' });
        out.unsubscribe();
        expect(subjects.some((subject) => subject.observed)).toBe(false);
      });
    }));

  it('tries one again forever, with growing waits that take no slot among those that connect', () =>
    inVirtualTime((at) => {
      const [bad, good] = [sourceOf(throwError(() => AWAY)), sourceOf(NEVER)];
      const options = { ...EXACT, maxDelayMs: 10, maxConnecting: 1 };
      const out = taken(mergeSources([bad, good], options));
      expect([bad.connects, good.connects]).toEqual([1, 1]);
      at(3, () => expect(bad.connects).toBe(1));
      // The other is still connecting, so it is its turn only when that has taken too long.
      at(10_000, () => expect(bad.connects).toBe(2));
      at(10_100, () => {
        expect(bad.connects).toBeGreaterThan(10);
        expect(out.ended).toBe('');
        out.unsubscribe();
      });
    }));

  it('counts failures anew when something came', () =>
    inVirtualTime((at) => {
      const flaky = sourceOf(
        throwError(() => AWAY),
        new Observable<number>((s) => {
          s.next(1);
          s.error(AWAY);
        }),
        throwError(() => AWAY),
        NEVER,
      );
      const merged = mergeSources([{ name: 'flaky', source: flaky }], { ...EXACT, maxAttempts: 2 });
      const lines = reported(merged);
      const out = taken(merged);
      at(100, () => {
        expect(lines.filter((line) => line.includes('retrying'))).toEqual([
          'flaky retrying 1',
          'flaky retrying 1',
          'flaky retrying 2',
        ]);
        expect(out).toMatchObject({ values: [1], ended: '' });
        out.unsubscribe();
      });
    }));

  it('gives one up for good, goes on with the others, and fails with its error when they have ended', () => {
    const broken = new SourceError('RXF_KAFKA_DATA_LOST', 'gone');
    const other$ = new Subject<number>();
    const merged = mergeSources([
      { name: 'lost', source: sourceOf<number>(throwError(() => broken)) },
      { name: 'good', source: sourceOf(other$) },
    ]);
    const out = taken(merged);
    other$.next(7);
    expect(out).toMatchObject({ values: [7], ended: '' });
    const lines = reported(merged);
    expect(lines).toEqual(['lost failed 1', 'good connected 0']);
    other$.complete();
    expect(out).toMatchObject({ ended: 'error', error: broken });
    expect(lines.at(-1)).toBe('good ended 0');
  });

  it('gives one up after so many attempts', () =>
    inVirtualTime((at) => {
      const bad = sourceOf(throwError(() => AWAY));
      const out = taken(mergeSources([bad], { ...EXACT, maxAttempts: 2 }));
      at(4 + 8 + 1, () => expect([bad.connects, out.ended, out.error]).toEqual([3, 'error', AWAY]));
    }));

  it('drains: ends what waits, what retries and what is connected, and connects nothing more', () =>
    inVirtualTime((at) => {
      const stop$ = timer(10);
      const sources = [
        sourceOf(of(1)),
        sourceOf(NEVER),
        sourceOf(throwError(() => AWAY)),
        sourceOf(NEVER),
        sourceOf(NEVER),
      ];
      const merged = mergeSources(sources, { firstDelayMs: 100, jitter: 0, maxConnecting: 2 });
      const lines = reported(merged);
      const out = taken(merged.pipe(drainOn(stop$)));
      at(11, () => {
        expect(out).toMatchObject({ values: [1], ended: 'complete' });
        expect(lines.slice(-4).sort()).toEqual([
          'source 2 ended 0',
          'source 3 ended 1',
          'source 4 ended 0',
          'source 5 ended 0',
        ]);
      });
      at(500, () => expect(sources.map((source) => source.connects)).toEqual([1, 1, 1, 1, 0]));
    }));

  it('passes a failure on that comes while it drains', () => {
    const stop$ = new Subject<void>();
    const late$ = new Subject<number>();
    const source = new Source<number>((subscriber) => late$.subscribe(subscriber));
    const out = taken(mergeSources([source]).pipe(drainOn(stop$)));
    stop$.next();
    late$.error(AWAY);
    expect(out).toMatchObject({ ended: 'error', error: AWAY });
  });

  it('says how each target is, with why it failed, also to who looks before it is subscribed to', () =>
    inVirtualTime((at) => {
      const live$ = new Subject<number>();
      const merged = mergeSources(
        [
          { name: 'live', source: sourceOf(live$) },
          { name: 'away', source: sourceOf<number>(throwError(() => AWAY)) },
          { name: 'last', source: sourceOf(NEVER) },
        ],
        { ...EXACT, maxAttempts: 1, maxConnecting: 2 },
      );
      const seen: TargetStatus[] = [];
      merged.status$.subscribe((status) => seen.push(status));
      const waiting = ['live', 'away', 'last'].map((target) => ({ target, state: 'waiting', failures: 0 }));
      expect(seen).toStrictEqual(waiting);
      const out = taken(merged);
      at(2, () => {
        expect(seen.slice(3)).toStrictEqual([
          ...waiting,
          { target: 'live', state: 'connecting', failures: 0 },
          { target: 'away', state: 'connecting', failures: 0 },
          { target: 'away', state: 'retrying', failures: 1, error: AWAY },
          { target: 'last', state: 'connecting', failures: 0 },
        ]);
        live$.next(1);
        live$.next(2);
      });
      at(20, () => {
        expect(seen.slice(10)).toStrictEqual([
          { target: 'live', state: 'connected', failures: 0 },
          { target: 'away', state: 'connecting', failures: 1 },
          { target: 'away', state: 'failed', failures: 2, error: AWAY },
        ]);
        out.unsubscribe();
      });
    }));

  it('tries no target again for an error that is no lost connection, or one for good', () => {
    for (const error of [
      new SourceError('RXF_SOURCE_DRAIN_TIMEOUT', 'late'),
      new ConnectError('RXF_KAFKA_AUTH', 'no'),
    ]) {
      const out = taken(mergeSources([sourceOf(throwError(() => error))], EXACT));
      expect(out).toMatchObject({ ended: 'error', error });
    }
  });

  it('says of itself what its targets say, where they agree', () => {
    const offsetStore = (() => []) as never;
    const traits = { name: 'kafkaSource', isReplayable: true, resumeFrom: offsetStore };
    const source = (own = traits) => new Source<number>(() => undefined, own);
    expect(mergeSources([source(), source()]).traits).toEqual({ ...traits, name: 'mergeSources' });
    const other = { ...traits, isReplayable: false, resumeFrom: (() => []) as never };
    expect(mergeSources([source(), source(other)]).traits).toEqual({
      name: 'mergeSources',
      isReplayable: false,
      resumeFrom: undefined,
    });
    expect(mergeSources([source()]).pipe(take(1))).toBeDefined();
  });

  it.each([
    [[], {}, 'Expected `sources` to be an array of sources'],
    [[NEVER], {}, 'Expected `sources[0]` to be a source such as kafkaSource(…), or { name, source }'],
    [
      [
        { name: 'a', source: sourceOf(NEVER) },
        { name: 'a', source: sourceOf(NEVER) },
      ],
      {},
      'Expected `sources` to be sources with unique names',
    ],
    [[sourceOf(NEVER)], { maxConnecting: 0 }, 'Expected `maxConnecting` to be a whole number >= 1'],
    [[sourceOf(NEVER)], { connectMs: 0 }, 'Expected `connectMs` to be'],
    [[sourceOf(NEVER)], { maxAttempts: -1 }, 'Expected `maxAttempts` to be a whole number >= 0'],
    [[sourceOf(NEVER)], { jitter: -1 }, 'Expected `jitter` to be a number from 0 to 1'],
    [[sourceOf(NEVER)], { pool: 1 }, 'Expected `mergeSources options` to have only known options ('],
  ])('rejects %p, %p', (sources, options, message) => {
    const call = () => mergeSources(sources as never, options as MergeSourcesOptions);
    expect(call).toThrow(message);
    expect(call).toThrow(OptionError);
  });
});
