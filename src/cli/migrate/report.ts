import type { Agent } from './agent.js';
import type { Migrated } from './flow-file.js';
import type { Finding, Outcome } from './settings.js';
import type { Warning } from './writing.js';

/** What `rxflume migrate` says of an agent. */
export interface Report {
  readonly agent: string;
  readonly flows: readonly { readonly name: string; readonly path: string; readonly gaps: number }[];
  readonly counts: Readonly<Record<Outcome, number>>;
  readonly settings: readonly Finding[];
  readonly warnings: readonly Warning[];
}

const OUTCOMES: readonly Outcome[] = ['translated', 'not needed', 'replaced', 'gap', 'unknown'];

export function reportOf({ name, account }: Agent, { files, warnings }: Migrated): Report {
  const settings = [...account.values()].sort((one, other) => one.line - other.line);
  const count = (outcome: Outcome) => settings.filter((one) => one.outcome === outcome).length;
  return {
    agent: name,
    flows: files.map(({ name: flow, path, gaps }) => ({ name: flow, path, gaps })),
    counts: Object.fromEntries(OUTCOMES.map((outcome) => [outcome, count(outcome)])) as Report['counts'],
    settings,
    warnings: [...warnings].sort((one, other) => one.line - other.line),
  };
}

/** The report as Markdown: what a team reads before it moves. */
export function reportText({ agent, flows, counts, settings, warnings }: Report): string {
  const lines = [
    `# ${agent}: ${settings.length} settings\n`,
    table(
      ['flow', 'of the agent', 'parts to write'],
      flows.map(({ name, path, gaps }) => [name, path, String(gaps)]),
    ),
    table(OUTCOMES, [OUTCOMES.map((outcome) => String(counts[outcome]))]),
    ...(warnings.length === 0 ? [] : [`## What to know\n\n${warnings.map((one) => `- ${placed(one)}\n`).join('')}`]),
    '## Setting by setting\n',
    table(
      ['line', 'setting', 'value', 'outcome', 'in the flow'],
      settings.map(({ line, key, value, outcome, note }) => [String(line), key, value, outcome, note]),
    ),
  ];
  return lines.join('\n');
}

/** What is printed where files are written. */
export function summaryText({ agent, flows, counts, settings, warnings }: Report, folder: string): string {
  const gaps = flows.reduce((sum, one) => sum + one.gaps, 0);
  const parts = OUTCOMES.filter((outcome) => counts[outcome] > 0).map((outcome) => `${counts[outcome]} ${outcome}`);
  return [
    `${agent}: ${flows.length} ${flows.length === 1 ? 'flow' : 'flows'} in ${folder}, ${settings.length} settings: ${parts.join(', ')}.\n`,
    ...flows.map(({ name, path, gaps: own }) => `  ${name}.ts  ${path}${own === 0 ? '' : `  ${own} to write`}\n`),
    ...warnings.map((one) => `warning: ${placed(one)}\n`),
    ...settings
      .filter(({ outcome }) => outcome === 'unknown')
      .map(({ line, key, note }) => `warning: line ${line}: ${key}: ${note}\n`),
    gaps === 0
      ? `Next: cd ${folder} && npm install && npm test && npx rxflume check ${flows[0]?.name ?? 'flow'}.ts\n`
      : `Write the ${gaps === 1 ? 'part that is' : `${gaps} parts that are`} marked by gap(…): the flows do not type-check before.\n`,
  ].join('');
}

function placed({ line, message }: Warning): string {
  return line === 0 ? message : `line ${line}: ${message}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return `${row(head)}${row(head.map(() => '---'))}${rows.map(row).join('')}`;
}
