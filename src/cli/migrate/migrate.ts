import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describeError } from '../../core/errors.js';
import type { CommandContext } from '../command.js';
import { agentNames, agentOf } from './agent.js';
import { migrateAgent } from './flow-file.js';
import { peerVersions, projectFiles } from './project.js';
import { readProperties } from './properties.js';
import { type Report, reportOf, reportText, summaryText } from './report.js';

/** What `rxflume migrate` is asked to do. */
export interface MigrateAsked {
  readonly file: string;
  /** The agent; undefined for the only one of the file. */
  readonly agent: string | undefined;
  /** The folder of the project; undefined for one named after the agent. */
  readonly out: string | undefined;
  readonly print: 'summary' | 'report' | 'json';
  readonly isForced: boolean;
}

/** A file of an agent is some kilobytes; larger ones are something else. */
const MAX_BYTES = 4 * 1_024 * 1_024;

/**
 * Writes an agent of Flume as flows, and says what became of each of its settings. `--report` and `--json` write files only where a folder is
 * given.
 *
 * Fails: never; exit code 0 migrated, 1 with parts that have to be written by hand, 2 wrong use or an unreadable file.
 */
export function migrate(
  asked: MigrateAsked,
  { out, err, cwd }: Pick<CommandContext, 'out' | 'err' | 'cwd'>,
): 0 | 1 | 2 {
  try {
    const text = readAgentFile(resolve(cwd, asked.file));
    const properties = readProperties(text);
    const agent = agentOf(properties, chosenAgent(agentNames(properties), asked));
    const migrated = migrateAgent(agent, asked.file.split(/[\\/]/).at(-1) ?? asked.file);
    const report = reportOf(agent, migrated);
    const folder = asked.out ?? (asked.print === 'summary' ? agent.name : undefined);
    if (folder !== undefined) {
      const files = projectFiles(agent.name, migrated.files, peerVersions());
      writeProject(resolve(cwd, folder), files, asked.isForced);
    }
    out.write(shown(report, asked.print, folder ?? ''));
    return migrated.files.some(({ gaps }) => gaps > 0) ? 1 : 0;
  } catch (error) {
    err.write(`rxflume: ${describeError(error)}\n`);
    return 2;
  }
}

function shown(report: Report, print: MigrateAsked['print'], folder: string): string {
  if (print === 'json') return `${JSON.stringify(report)}\n`;
  return print === 'report' ? reportText(report) : summaryText(report, folder);
}

function readAgentFile(path: string): string {
  const bytes = readFileSync(path);
  if (bytes.length > MAX_BYTES)
    throw new Error(`${path} has ${bytes.length} bytes, which is no file of an agent: the limit is ${MAX_BYTES}`);
  const text = bytes.toString();
  // Java reads Latin-1; what is no UTF-8 is that.
  return text.includes('\ufffd') ? bytes.toString('latin1') : text;
}

function chosenAgent(names: readonly string[], { agent, file }: MigrateAsked): string {
  if (names.length === 0)
    throw new Error(`${file} has no agent: no key such as \`a1.sources\`, \`a1.channels\` or \`a1.sinks\``);
  if (agent === undefined && names.length > 1)
    throw new Error(`${file} has the agents ${names.join(', ')}: choose one by \`--name\``);
  const chosen = agent ?? names[0] ?? '';
  if (!names.includes(chosen)) throw new Error(`${file} has no agent ${chosen}: it has ${names.join(', ')}`);
  return chosen;
}

function writeProject(folder: string, files: ReadonlyMap<string, string>, isForced: boolean): void {
  const there = [...files.keys()].filter((name) => existsSync(join(folder, name)));
  if (there.length > 0 && !isForced)
    throw new Error(
      `${folder} has ${there.join(', ')} already: give another folder by \`--out\`, or overwrite by \`--force\``,
    );
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of files) writeFileSync(join(folder, name), text);
}
