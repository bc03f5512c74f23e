import type { FanOutState } from './faults.js';
import type { Outcome } from './run.js';

const COLUMNS = ['seconds', 'records', 'files', 'lost', 'duplicated', 'foreign', 'orphans', 'gave up', 'complaints'];

/** The faults done by kind, a row for each run, and the line that counts. */
export function table(outcomes: readonly Outcome[]): { readonly lines: readonly string[]; readonly isProven: boolean } {
  if (outcomes.length === 0) return { lines: ['no run was counted'], isProven: false };
  const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const lines = ['', columns('fault', ['planned', 'done'])];
  const faults = new Map<string, FanOutState>();
  for (const { faults: tallies } of outcomes) {
    for (const [name, { planned, done }] of tallies) {
      const total = faults.get(name) ?? { planned: 0, done: 0 };
      faults.set(name, { planned: total.planned + planned, done: total.done + done });
    }
  }
  for (const [name, { planned, done }] of [...faults].sort()) lines.push(columns(name, [planned, done]));
  const of = (kind: string) =>
    [...faults].filter(([name]) => name.startsWith(kind)).reduce((total, [, { done }]) => total + done, 0);
  lines.push(
    `kills ${of('kill')}  freezes ${of('freeze')}  cuts ${of('cut')}  restarts ${of('restart')}`,
    '',
    columns('run', COLUMNS),
  );
  for (const { seed, seconds, records, files, lost, duplicated, foreign, orphans, gaveUp, complaints } of outcomes) {
    const row = [Math.round(seconds), records, files, lost, duplicated, foreign, orphans, gaveUp, complaints.length];
    lines.push(columns(`seed ${seed}`, row));
  }
  for (const { seed, worstAges } of outcomes) {
    const ages = worstAges.map((ms, partition) => `${partition}: ${(ms / 1_000).toFixed(1)} s`);
    lines.push(`seed ${seed}, the longest wait of each partition: ${ages.join('  ')}`);
  }
  const counts = {
    lost: sum(({ lost }) => lost),
    duplicated: sum(({ duplicated }) => duplicated),
    foreign: sum(({ foreign }) => foreign),
    orphans: sum(({ orphans }) => orphans),
  };
  lines.push(
    '',
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join('  '),
  );
  const isClean = Object.values(counts).every((count) => count === 0);
  return { lines, isProven: isClean && sum(({ complaints }) => complaints.length) === 0 };
}

function columns(name: string, cells: readonly (string | number)[]): string {
  return `${name.padEnd(30)}${cells.map((cell) => String(cell).padStart(12)).join('')}`;
}
