import { describe, expect, it } from '@jest/globals';

import type { StreamView } from '../../src/console/contract.js';
import { snapshotOf } from './simulated-flows.js';

/** A part of the page that touches no document; its types are checked where it is written. */
const part = <T>(name: string): Promise<T> => import(`../../src/console/page/assets/${name}`) as Promise<T>;

type Text = (value: number | null | undefined) => string;
const format = part<Record<'compact' | 'bytes' | 'duration' | 'rate' | 'count' | 'milliseconds', Text>>('format.js');
const rows = part<{
  sortedRows<T>(rows: readonly T[], columns: readonly { value: (row: T) => unknown }[], order: object): T[];
  rowsInSight(
    count: number,
    scrollTop: number,
    height: number,
    rowHeight?: number,
  ): { from: number; to: number; above: number; below: number };
}>('table-rows.js');
interface Range {
  readonly from: number;
  readonly to: number;
}
const lanes = part<{
  rangeOf(stream: Partial<StreamView>, isWhole: boolean): Range | undefined;
  segmentsOf(stream: Partial<StreamView>, range: Range): (Range & { name: string; records: number })[];
}>('lane-scale.js');
interface Shown {
  log: { seq: number }[];
  tap?: { values: unknown[]; seen: number; paused: boolean };
}
const state = part<{
  initialState(route: object, nowMs: number, shortcuts: boolean): Shown;
  withSnapshot(state: Shown, snapshot: object, nowMs: number): Shown;
  withLogLine(state: Shown, line: object): Shown;
  withTapped(state: Shown, value: object): Shown;
}>('state.js');
const route = part<{
  routeOf(hash: string): object;
  hashOf(route: object): string;
  tokenOf(hash: string): string | undefined;
}>('route.js');

describe('numbers as text', () => {
  it('are short, with their unit, and a dash where nothing is known', async () => {
    const { compact, bytes, duration, rate, milliseconds } = await format;
    expect([0, 7, 0.126, 999, 999.6, 1_000, 12_345, 999_600, -1_500].map(compact)).toEqual([
      '0',
      '7',
      '0.13',
      '999',
      '1k',
      '1k',
      '12.3k',
      '1M',
      '-1.5k',
    ]);
    expect([0, 512, 1_024, 5_242_880].map(bytes)).toEqual(['0 B', '512 B', '1 KiB', '5 MiB']);
    expect([0, 0.0123, 3.14, 59.6, 60, 200, 7_200, 93_600].map(duration)).toEqual([
      '0 s',
      '12 ms',
      '3.1 s',
      '1 min',
      '1 min',
      '3 min 20 s',
      '2 h',
      '1 d 2 h',
    ]);
    expect(milliseconds(2_048)).toBe('2 s');
    for (const text of [compact, bytes, duration, rate, milliseconds])
      expect([undefined, null, Number.NaN].map(text)).toEqual(['–', '–', '–']);
  });
});

describe('the rows of a table', () => {
  it('are sorted by numbers, names count their digits, and what is unknown comes last both ways', async () => {
    const { sortedRows } = await rows;
    const columns = [
      { value: (row: { name: string; lag?: number }) => row.lag },
      { value: (row: { name: string }) => row.name },
    ];
    const some = [{ name: 'chat/10', lag: 5 }, { name: 'chat/9' }, { name: 'chat/2', lag: 40 }];
    const names = (column: number, isDown: boolean) =>
      sortedRows(some, columns, { column, isDown }).map(({ name }) => name);
    expect(names(0, true)).toEqual(['chat/2', 'chat/10', 'chat/9']);
    expect(names(0, false)).toEqual(['chat/10', 'chat/2', 'chat/9']);
    expect(names(1, false)).toEqual(['chat/2', 'chat/9', 'chat/10']);
  });

  it('in sight are few, and those above and below leave their height', async () => {
    const { rowsInSight } = await rows;
    for (const scrollTop of [0, 1, 500, 9_000, 12_000, 99_999]) {
      const { from, to, above, below } = rowsInSight(300, scrollTop, 600, 40);
      expect(above + (to - from) * 40 + below).toBe(300 * 40);
      expect(to - from).toBeLessThan(30);
    }
    expect(rowsInSight(0, 0, 600)).toEqual({ from: 0, to: 0, above: 0, below: 0 });
  });
});

describe('a lane', () => {
  const stream = {
    logStart: 100,
    committed: 1_000_000,
    acked: 1_000_100,
    released: 1_000_150,
    read: 1_000_400,
    logEnd: 1_000_900,
  };

  it('shows the live end, or the whole log', async () => {
    const { rangeOf } = await lanes;
    expect(rangeOf(stream, true)).toEqual({ from: 100, to: 1_000_900 });
    const live = rangeOf(stream, false) as Range;
    expect(live.from).toBeLessThan(1_000_000);
    expect(live.to).toBeGreaterThan(1_000_900);
    expect(live.to - live.from).toBeLessThan(1_800);
    expect(rangeOf({ paused: false }, false)).toBeUndefined();
    expect(rangeOf({ logStart: 0, logEnd: 0 }, true)).toEqual({ from: 0, to: 1 });
  });

  it('has its steps side by side, and leaves out what is not known', async () => {
    const { rangeOf, segmentsOf } = await lanes;
    const segments = segmentsOf(stream, rangeOf(stream, false) as Range);
    expect(segments.map(({ name }) => name)).toEqual(['committed', 'acked', 'released', 'in flight', 'not read']);
    expect(segments.slice(1).map(({ records }) => records)).toEqual([100, 50, 250, 500]);
    for (const [index, segment] of segments.slice(1).entries()) expect(segment.from).toBe(segments[index]?.to);
    const { committed, read } = stream;
    expect(
      segmentsOf({ committed, read }, { from: 999_000, to: 1_001_000 }).map(({ name, records }) => [name, records]),
    ).toEqual([
      ['committed', 1_000],
      ['in flight', 400],
    ]);
  });
});

describe('what a message makes of the state', () => {
  it('keeps 500 lines of the log, each once, and begins anew with a process that was started again', async () => {
    const { initialState, withLogLine } = await state;
    let shown = initialState({ view: 'log' }, 0, true);
    for (let seq = 1; seq <= 700; seq += 1) shown = withLogLine(shown, { seq, atMs: seq });
    shown = withLogLine(shown, { seq: 700, atMs: 700 });
    expect([shown.log.length, shown.log[0]?.seq, shown.log.at(-1)?.seq]).toEqual([500, 201, 700]);
    expect(withLogLine(shown, { seq: 1, atMs: 9_000 }).log).toHaveLength(1);
  });

  it('keeps 100 tapped values, of its own tap only, and none while it is paused', async () => {
    const { initialState, withTapped } = await state;
    let shown: Shown = {
      ...initialState({ view: 'overview' }, 0, true),
      tap: { id: 'a', values: [], seen: 0, paused: false },
    } as Shown;
    for (let offset = 0; offset < 150; offset += 1) shown = withTapped(shown, { tap: 'a', offset });
    shown = withTapped(shown, { tap: 'b', offset: 1 });
    expect([shown.tap?.values.length, shown.tap?.seen]).toEqual([100, 150]);
    const paused = withTapped(
      { ...shown, tap: { ...(shown.tap as NonNullable<Shown['tap']>), paused: true } },
      { tap: 'a' },
    );
    expect([paused.tap?.values, paused.tap?.seen]).toEqual([shown.tap?.values, 151]);
  });

  it('drops the log of another process', async () => {
    const { initialState, withSnapshot, withLogLine } = await state;
    const first = withLogLine(withSnapshot(initialState({ view: 'log' }, 0, true), snapshotOf([]), 1), {
      seq: 1,
      atMs: 1,
    });
    expect(withSnapshot(first, snapshotOf([]), 2).log).toHaveLength(1);
    expect(withSnapshot(first, snapshotOf([], { process: 'another' }), 2).log).toEqual([]);
  });
});

describe('the address of a view', () => {
  it('is read as it was written, whatever the names', async () => {
    const { routeOf, hashOf, tokenOf } = await route;
    for (const one of [
      { view: 'overview' },
      { view: 'log' },
      { view: 'flow', flow: 'a/b c#?%é', tab: 'lanes' },
      { view: 'flow', flow: 'chat', tab: 'dead-letters', process: 'host/1' },
    ]) {
      expect(routeOf(hashOf(one))).toEqual(one);
    }
    expect(routeOf('#/flow/%E0%A4%A/nonsense')).toEqual({ view: 'flow', flow: '%E0%A4%A', tab: 'graph' });
    expect(tokenOf('#token=a%2Bb')).toBe('a+b');
    expect(tokenOf('#/flow/chat')).toBeUndefined();
  });
});
