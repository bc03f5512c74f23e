import { shownText } from '../../core/text.js';
import { exitCodeOf, type Finding, type Group, type Level, worstOf } from './finding.js';

/** What the command found of a flow. */
export interface Report {
  readonly file: string;
  /** Undefined where the file could not be loaded. */
  readonly flow: string | undefined;
  readonly groups: readonly Group[];
}

const MARKS: Readonly<Record<Level, string>> = { ok: '✓', warning: '⚠', problem: '✗', environment: '✗' };

/** The report for people: a line a finding, with its path and its fix below. */
export function reportText({ file, flow, groups }: Report): string {
  const blocks = groups.map(({ name, findings }) => `${name}\n${findings.map(findingText).join('')}`);
  const count = (level: Level) =>
    groups.reduce((sum, { findings }) => sum + findings.filter((one) => one.level === level).length, 0);
  const [problems, warnings] = [count('problem') + count('environment'), count('warning')];
  const plural = (value: number, of: string) => `${value} ${of}${value === 1 ? '' : 's'}`;
  const end =
    problems + warnings === 0 ? 'All is well.' : `${plural(problems, 'problem')}, ${plural(warnings, 'warning')}.`;
  return shownText(`${flow ?? '?'}  ${file}\n\n${blocks.join('\n')}\n${end}\n`);
}

function findingText({ level, text, path, fix }: Finding): string {
  const lines = [`  ${MARKS[level]} ${text}`];
  if (path !== undefined) lines.push(`    └ ${path}`);
  if (fix !== undefined) lines.push(`    → ${fix}`);
  return `${lines.join('\n')}\n`;
}

/** The report for programs: one line. */
export function reportJson({ file, flow, groups }: Report): string {
  const level = worstOf(groups);
  return `${JSON.stringify({ file, flow: flow ?? null, level, exitCode: exitCodeOf(groups), groups })}\n`;
}
