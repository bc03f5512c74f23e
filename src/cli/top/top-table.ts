import type { ConsoleSnapshot } from '../../console/contract.js';
import { shownText } from '../../core/text.js';
import { byteText, grouped } from '../progress.js';
import type { TopState } from './top-state.js';

/** A cell: how it is shown, and what it is sorted by. */
interface Cell {
  readonly text: string;
  readonly value: number | string;
}

interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

const NONE: Cell = { text: '–', value: -1 };
const word = (text: string): Cell => ({ text: shownText(text), value: text });
const count = (value: number | undefined): Cell =>
  value === undefined ? NONE : { text: grouped(Math.round(value)), value };
const seconds = (value: number | undefined): Cell =>
  value === undefined ? NONE : { text: value < 100 ? `${value.toFixed(1)} s` : `${Math.round(value / 60)} min`, value };
const bytes = (value: number | undefined): Cell =>
  value === undefined ? NONE : { text: `${byteText(Math.round(value))}/s`, value };

function flowTable(snapshots: readonly ConsoleSnapshot[]): Table {
  const head = ['flow', 'process', 'state', 'in/s', 'out/s', 'bytes/s', 'in flight', 'backlog', 'age', 'waits for'];
  const rows = snapshots.flatMap(({ process, flows }) =>
    flows.map(({ name, state, parts, edges, streams, ageSeconds, culprit }) => {
      const backlogs = streams.flatMap(({ backlog }) => backlog ?? []);
      const backlog = backlogs.length === 0 ? undefined : backlogs.reduce((sum, one) => sum + one, 0);
      return [
        ...[word(name), word(process), word(state)],
        ...[count(parts[0]?.perSecond), count(parts.at(-1)?.perSecond), bytes(edges[0]?.bytesPerSecond)],
        ...[count(parts[0]?.inFlight), count(backlog), seconds(ageSeconds)],
        word(culprit === undefined ? '' : (parts[culprit.part]?.name ?? '')),
      ];
    }),
  );
  return { head, rows };
}

function streamTable(snapshots: readonly ConsoleSnapshot[]): Table {
  const head = ['stream', 'flow', 'process', 'backlog', 'lag', 'age', 'headroom', 'read', 'acked', 'committed'];
  const rows = snapshots.flatMap(({ process, flows }) =>
    flows.flatMap(({ name, streams }) =>
      streams.map(({ stream, backlog, lag, ageSeconds, headroomSeconds, read, acked, committed }) => [
        ...[word(stream), word(name), word(process), count(backlog), count(lag), seconds(ageSeconds)],
        ...[seconds(headroomSeconds), count(read), count(acked), count(committed)],
      ]),
    ),
  );
  return { head, rows };
}

export interface Screen {
  readonly columns: number;
  readonly rows: number;
}

/** The lines of a screen: a title, the table as sorted, filtered and scrolled, and what keys do. Each is as wide as the screen at most. */
export function topLines(snapshots: readonly ConsoleSnapshot[], state: TopState, { columns, rows }: Screen): string[] {
  const table = state.view === 'flows' ? flowTable(snapshots) : streamTable(snapshots);
  const wanted = table.rows.filter((row) =>
    row.some(({ text }) => text.toLowerCase().includes(state.filter.toLowerCase())),
  );
  const sorted = [...wanted].sort((a, b) => compare(a[state.sort], b[state.sort]) * (state.isReversed ? -1 : 1));
  const space = Math.max(1, rows - 3);
  const from = Math.max(0, Math.min(state.scroll, sorted.length - space));
  const shown = sorted.slice(from, from + space);
  const cells = [table.head.map((text, at) => (at === state.sort ? `${text}${state.isReversed ? '▲' : '▼'}` : text))];
  for (const row of shown) cells.push(row.map(({ text }) => text));
  const title = `rxflume top  ${snapshots.length} processes  ${wanted.length} ${state.view}`;
  const range = sorted.length > space ? `  ${from + 1}–${from + shown.length}` : '';
  const filter = state.filter === '' && !state.isTyping ? '' : `  /${state.filter}${state.isTyping ? '_' : ''}`;
  const keys = 's sort  r reverse  t flows/streams  / filter  ↑↓ scroll  q quit';
  return [`${title}${range}${filter}`, ...aligned(cells), keys].map((line) => [...line].slice(0, columns).join(''));
}

/** Numbers from the most, text from A. */
function compare(a: Cell = NONE, b: Cell = NONE): number {
  if (typeof a.value === 'number' && typeof b.value === 'number') return b.value - a.value;
  return String(a.value) < String(b.value) ? -1 : 1;
}

/** Columns as wide as their widest cell: the first to the left, numbers to the right. */
function aligned(cells: readonly (readonly string[])[]): string[] {
  const widths = (cells[0] ?? []).map((_, at) => Math.max(...cells.map((row) => [...(row[at] ?? '')].length)));
  return cells.map((row) =>
    row
      .map((text, at) => {
        const pad = ' '.repeat((widths[at] ?? 0) - [...text].length);
        return at < 3 || at === row.length - 1 ? text + pad : pad + text;
      })
      .join('  ')
      .trimEnd(),
  );
}
