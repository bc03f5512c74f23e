import type { Amount, LedgerAudit } from '../sinks/files/ledger/audit.js';
import type { LedgerProblem } from '../sinks/files/ledger/problem.js';
import { byteText, grouped } from './progress.js';

/** What was found under a root, to be printed. */
export interface LedgerReport {
  readonly root: string;
  /** The file system, as messages name it. */
  readonly at: string;
  readonly audits: readonly LedgerAudit[];
  /** Entries among the streams of the ledger that are not streams. */
  readonly others: readonly string[];
}

/** Problems that are printed in full; programs get all of them. */
const MAX_PROBLEMS = 20;

/** The report as one JSON object on one line, for programs. */
export function ledgerJson({ root, at, audits, others }: LedgerReport): string {
  const streams = audits.map(({ newest, skipped, ...audit }) => ({
    ...audit,
    skipped: skipped.map(({ from, next, modifiedMs }) => ({ from, next, time: timeText(modifiedMs) })),
    newest:
      newest === null
        ? null
        : { from: newest.from, next: newest.next, writer: newest.writer, time: timeText(newest.modifiedMs) },
    verified: audit.problems.length === 0,
  }));
  const verified = streams.every((stream) => stream.verified);
  return `${JSON.stringify({ root, fileSystem: at, verified, streams, others })}\n`;
}

/** The report as a person wants to read it: a table, what is to be known of each stream, each problem, the end. */
export function ledgerText({ root, at, audits, others }: LedgerReport): string {
  const problems = audits.flatMap(({ stream, problems: own }) => own.map((problem) => ({ stream, problem })));
  const left = problems.length - MAX_PROBLEMS;
  return [
    `The ledger of ${root} on ${at}\n`,
    table(audits),
    section([...audits.flatMap(notes), ...others.map((name) => `${name} is not a stream's folder and was ignored.`)]),
    ...problems
      .slice(0, MAX_PROBLEMS)
      .map(({ stream, problem }, n) => problemText(stream, problem, n + 1, problems.length)),
    left > 0 ? section([`… and ${left} more problems; --json has all of them.`]) : '',
    section([
      summary(audits),
      'Checked: the retained entries and the files they name. Files of older, folded entries are not checked.',
    ]),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function table(audits: readonly LedgerAudit[]): string {
  const head = ['STREAM', 'ENTRIES', 'FROM..NEXT', 'VALUES', 'FILES', 'BYTES', 'NEWEST ENTRY', 'VERDICT'];
  const rows = audits.map(({ stream, entries, from, next, values, files, bytes, newest, problems }) => [
    stream,
    grouped(entries),
    from === null ? '-' : `${from}..${next}`,
    grouped(values),
    grouped(files),
    byteText(bytes),
    newest === null ? '-' : `${timeText(newest.modifiedMs)} by ${newest.writer}`,
    problems.length === 0 ? 'verified' : count(problems.length, 'problem'),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => (row[column] as string).length)));
  const isNumber = (column: number) => column >= 1 && column <= 5;
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) =>
          isNumber(column) ? cell.padStart(widths[column] as number) : cell.padEnd(widths[column] as number),
        )
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

function notes({ stream, unpublished, inProgress, orphans, skipped, stale }: LedgerAudit): string[] {
  const note = (amount: Amount, text: string) =>
    amount.files === 0 ? [] : [`${stream}: ${count(amount.files, 'file')} (${byteText(amount.bytes)}) ${text}`];
  return [
    ...note(unpublished, 'committed, not yet published: finished at the next assignment.'),
    ...note(inProgress, 'in progress, or may still be committed.'),
    ...note(orphans, 'orphaned under _rxflume/tmp: removed at the next assignment.'),
    ...skipped.map(
      ({ from, next, modifiedMs }) =>
        `${stream}: offsets ${from} to ${next - 1} were skipped with --skip-to at ${timeText(modifiedMs)}. They are in no file.`,
    ),
    ...stale.map(
      ({ path, from, next, writer }) =>
        `${stream}: ${path} (${from}..${next}) is stale: other writers had overtaken its writer ${writer}, and none of its files ` +
        'became visible. Harmless.',
    ),
  ];
}

function problemText(
  stream: string,
  { kind, where, what, means, advice }: LedgerProblem,
  n: number,
  of: number,
): string {
  return section([
    `Problem ${n} of ${of}: ${stream}, ${kind}`,
    `  where  ${where}`,
    `  what   ${what}`,
    `  means  ${means}`,
    `  to do  ${advice}`,
  ]);
}

function summary(audits: readonly LedgerAudit[]): string {
  const wrong = audits.filter(({ problems }) => problems.length > 0);
  const all = count(audits.length, 'stream');
  if (wrong.length === 0) return `Verified: ${all}.`;
  const problems = wrong.reduce((sum, audit) => sum + audit.problems.length, 0);
  return `Not verified: ${count(problems, 'problem')} in ${wrong.length} of ${all}.`;
}

function section(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

function count(number: number, word: string): string {
  return `${grouped(number)} ${word}${number === 1 ? '' : 's'}`;
}

function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
