import { describeError } from '../../core/errors.js';
import type { Difference } from './comparison.js';
import type { Outcome } from './play.js';
import type { LinesOfRecords } from './recorder.js';
import { printSchedule, type Schedule } from './schedule.js';
import { waitInWords } from './waits.js';

/** How many of a kind are shown. */
const MAX_SHOWN = 4;
/** How many lines of what happened are shown. */
const MAX_LOGGED = 400;
/** How many of them are from before the first fault. */
const LOGGED_BEFORE = 40;

/**
 * A flow did not keep its promise under one schedule; `replay` runs just that one again.
 *
 * ```ts
 * import { ProofError } from 'rxflume/testing';
 *
 * export function replayOf(error: unknown): string | undefined {
 *   return error instanceof ProofError ? error.replay : undefined;
 * }
 * ```
 */
export class ProofError extends Error {
  override readonly name = 'ProofError';
  readonly replay: string;
  /** What is wrong, a line each. */
  readonly findings: readonly string[];

  constructor(message: string, replay: string, findings: readonly string[]) {
    super(message);
    this.replay = replay;
    this.findings = findings;
  }
}

/** Whether anything is wrong with the outcome. */
export function isSound(outcome: Outcome): boolean {
  const { lost, twice, foreign, partial, withdrawn, outside, ahead, tooLong, stuck } = outcome;
  return (
    stuck === '' &&
    [lost, twice, foreign, partial, withdrawn, outside, ahead, tooLong].every((found) => found.length === 0)
  );
}

/** The error that says what is wrong, under which schedule, and how to see it again. */
export function failureOf(
  outcome: Outcome,
  schedule: Schedule,
  from: { readonly linesOfRecords: LinesOfRecords | undefined; readonly number: number; readonly isLogged: boolean },
): ProofError {
  const isLateOnly = isSound({ ...outcome, tooLong: [] });
  const names = recordNames(from.linesOfRecords);
  const findings = [
    ...listed('lost', outcome.lost, (one) => lineInWords(one, names)),
    ...listed('stored twice', outcome.twice, (one) => lineInWords(one, names)),
    ...listed('foreign', outcome.foreign, (one) => lineInWords(one, names)),
    ...listed('written where it is visible', outcome.partial, (path) => path),
    ...listed('taken away after it was visible', outcome.withdrawn, (path) => path),
    ...listed(
      'in none of the roots',
      outcome.outside,
      (path) => `${path}; name its sink in \`root\` or \`atLeastOnceRoot\``,
    ),
    ...listed('committed before it was stored', outcome.ahead, (words) => words),
    ...listed('waited too long', outcome.tooLong, waitInWords),
    ...listed('waiting in the end', outcome.waiting, waitInWords),
    ...(outcome.stuck === '' ? [] : [`stuck: ${outcome.stuck}`]),
  ];
  const replay = printSchedule(schedule);
  const errors = [...new Set(outcome.errors.map(describeError))].slice(0, MAX_SHOWN);
  const parts = [
    `${isLateOnly ? 'Something waits too long' : 'Not exactly once'}, found by schedule ${from.number}:`,
    ...findings.map((finding) => `  ${finding}`),
    'What went wrong on the way:',
    ...(outcome.struck.length === 0 ? ['  nothing'] : outcome.struck.map(({ words }) => `  ${words}`)),
    ...(errors.length === 0 ? [] : ['Collectors failed with:', ...errors.map((error) => `  ${error}`)]),
    `To see it again, step by step: proveExactlyOnce(build, input, { …, replay: '${replay}' })`,
    ...(from.isLogged ? ['What happened:', ...excerpt(outcome.log).map((line) => `  ${line}`)] : []),
  ];
  return new ProofError(parts.join('\n'), replay, findings);
}

function listed<T>(what: string, found: readonly T[], inWords: (one: T) => string): string[] {
  const lines = found.slice(0, MAX_SHOWN).map((one) => `${what}: ${inWords(one)}`);
  return found.length > MAX_SHOWN ? [...lines, `${what}: ${found.length - MAX_SHOWN} more`] : lines;
}

function lineInWords({ folder, line, expected, files }: Difference, names: ReadonlyMap<string, string>): string {
  const name = names.get(`${folder}\n${line}`);
  const text = line.length > 120 ? `${line.slice(0, 120)}…` : line;
  const times = expected > 1 ? ` (${files.length} times instead of ${expected})` : '';
  const where = files.length === 0 ? `expected in ${folder}` : `in ${files.join(' and ')}`;
  return `${text}${name === undefined ? '' : ` of ${name}`} ${where}${times}`;
}

function recordNames(linesOfRecords: LinesOfRecords | undefined): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [stream, records] of linesOfRecords ?? []) {
    for (const [offset, lines] of records.entries()) {
      for (const key of lines.keys()) names.set(key, `${stream} offset ${offset}`);
    }
  }
  return names;
}

/** The log from a little before the first fault on. */
function excerpt(log: readonly string[]): readonly string[] {
  const fault = log.findIndex((line) => line.includes(' FAULT '));
  const first = Math.max(0, fault - LOGGED_BEFORE);
  const shown = log.slice(first, first + MAX_LOGGED);
  const left = log.length - first - shown.length;
  return [...(first > 0 ? [`… ${first} lines before`] : []), ...shown, ...(left > 0 ? [`… ${left} lines after`] : [])];
}
