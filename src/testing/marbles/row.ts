import { OptionError } from '../../core/errors.js';

/** Something at one moment of a row. */
export interface Mark {
  /** In virtual milliseconds. */
  readonly frame: number;
  /** The character; `|` and `#` are ends. */
  readonly label: string;
  /** What was in parentheses behind an X, as in `X(503)`. */
  readonly detail?: string;
}

/**
 * Reads a row as RxJS does: `-` is a millisecond, a character something at its moment, `(ab)` several at once, a time such as
 * `20ms` between spaces, and spaces are nothing. Beside that, `X(503)` is one mark of one millisecond.
 *
 * Fails: `OptionError` for what is none of these.
 */
export function parseRow(row: string): Mark[] {
  const marks: Mark[] = [];
  let frame = 0;
  let at = 0;
  const take = (pattern: RegExp) => {
    const found = pattern.exec(row.slice(at));
    if (found !== null) at += found[0].length;
    return found;
  };
  while (at < row.length) {
    const time = (at === 0 || row[at - 1] === ' ') && take(/^(\d+(?:\.\d+)?)(ms|s|m)(?= |$)/);
    if (time) {
      frame += Number(time[1]) * { ms: 1, s: 1_000, m: 60_000 }[time[2] as 'ms' | 's' | 'm'];
      continue;
    }
    const failure = take(/^X\(([^()]*)\)/);
    if (failure !== null) {
      marks.push({ frame, label: 'X', detail: failure[1] as string });
      frame += 1;
      continue;
    }
    const group = take(/^\(([^()\s-]+)\)/);
    if (group !== null) {
      for (const label of group[1] as string) marks.push({ frame, label });
      frame += group[0].length;
      continue;
    }
    const [one = ''] = take(/^[^()]/u) ?? [];
    if (one === '') {
      throw new OptionError('RXF_OPTION_INVALID', `Expected a row of marbles, got \`${row}\`: see ${row.slice(at)}.`);
    }
    if (one === ' ') continue;
    if (one !== '-') marks.push({ frame, label: one });
    frame += 1;
  }
  return marks;
}

/** A stretch without marks that is longer than this is shown as a time. */
const LONGEST_GAP = 24;

/** Draws rows under each other, so that what happens at one moment is in one column; the last line points at `^`. */
export function drawRows(rows: readonly { readonly name: string; readonly marks: readonly Mark[] }[]): string[] {
  const frames = [...new Set(rows.flatMap(({ marks }) => marks.map(({ frame }) => frame)))].sort((a, b) => a - b);
  const cells = rows.map(({ marks }) => new Map(frames.map((frame) => [frame, cellOf(marks, frame)])));
  const lines = rows.map(() => '');
  let next = 0;
  for (const frame of frames) {
    const gap = frame - next;
    const filler = gap > LONGEST_GAP ? ` ${gap}ms ` : '-'.repeat(gap);
    const width = Math.max(1, ...cells.map((row) => (row.get(frame) ?? '').length));
    for (const [at, row] of cells.entries()) lines[at] += filler + (row.get(frame) ?? '').padEnd(width, '-');
    next = frame + 1;
  }
  const widest = Math.max(...rows.map(({ name }) => name.length));
  return rows.map(({ name }, at) => `  ${name.padEnd(widest)}  ${lines[at] === '' ? '-' : lines[at]}`.trimEnd());
}

function cellOf(marks: readonly Mark[], frame: number): string {
  const here = marks
    .filter((mark) => mark.frame === frame)
    .map(({ label, detail }) => label + (detail ? `(${detail})` : ''));
  if (here.length === 0) return '';
  return here.length === 1 ? (here[0] as string) : `(${here.join('')})`;
}
