import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { describeError } from '../../core/errors.js';
import type { CommandContext } from '../command.js';
import { askFor, DEFAULT_SINK, DEFAULT_SOURCE, type Given, isName, type Question } from './ask.js';
import { type ProjectAsked, projectFiles, settingsOf, type Versions } from './project.js';

/** What `rxflume init` is asked for. */
export interface InitAsked extends Given {
  readonly folder: string;
  /** Nothing is asked: what is not given is the default. */
  readonly isSure: boolean;
  readonly isJson: boolean;
}

type Setting = Pick<CommandContext, 'out' | 'err' | 'cwd'> & {
  /** Undefined where there is nobody to ask. */
  readonly question?: Question | undefined;
};

/**
 * Writes a project with a flow and its test. Files that are there are never overwritten.
 *
 * Fails: never; exit code 0 written, 1 a file is there already or cannot be written, 2 nobody can be asked.
 */
export async function init(asked: InitAsked, setting: Setting): Promise<0 | 1 | 2> {
  const { out, err, cwd } = setting;
  const folder = resolve(cwd, asked.folder);
  const project = await projectOf(asked, folder, setting);
  if (project === undefined) {
    err.write(
      'rxflume: There is no terminal to ask at. Pass `--yes` for the defaults, or `--name`, `--source` and `--sink`.\n',
    );
    return 2;
  }
  const files = Object.entries(projectFiles(project, versionsOf()));
  const there = files.map(([name]) => name).filter((name) => existsSync(join(folder, name)));
  if (there.length > 0) {
    err.write(
      `rxflume: ${folder} has ${there.join(', ')}, and nothing is overwritten. Choose another folder, or move these.\n`,
    );
    return 1;
  }
  try {
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of files) writeFileSync(join(folder, name), text, { flag: 'wx' });
  } catch (error) {
    err.write(`rxflume: Could not write to ${folder}: ${describeError(error)}.\n`);
    return 1;
  }
  const written = files.map(([name]) => name);
  const settings = settingsOf(project);
  out.write(
    asked.isJson
      ? `${JSON.stringify({ folder, ...project, files: written, settings })}\n`
      : nextSteps(asked.folder, written, settings),
  );
  return 0;
}

async function projectOf(asked: InitAsked, folder: string, { question }: Setting): Promise<ProjectAsked | undefined> {
  const { name, source, sink, isSure } = asked;
  const own = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '');
  const otherwise = isName(own) ? own : 'events';
  if (isSure || (source !== undefined && sink !== undefined)) {
    return { name: name ?? otherwise, source: source ?? DEFAULT_SOURCE, sink: sink ?? DEFAULT_SINK };
  }
  if (question !== undefined) return askFor({ name, source, sink }, otherwise, question);
  if (asked.isJson || !process.stdin.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await askFor({ name, source, sink }, otherwise, (text) => terminal.question(text));
  } finally {
    terminal.close();
  }
}

/** This package, and what it works with, as its package.json says. */
function versionsOf(): Versions {
  const path = createRequire(import.meta.url).resolve('rxflume/package.json');
  const own = JSON.parse(readFileSync(path, 'utf8')) as { version: string; peerDependencies: Versions };
  return { ...own.peerDependencies, rxflume: `^${own.version}` };
}

function nextSteps(folder: string, files: readonly string[], settings: readonly string[]): string {
  const sample = files.includes('sample.ts') ? '  npm run sample   # three events for a first run\n' : '';
  const real = settings.length === 0 ? '' : `\nTo use the real systems, set ${settings.join(' ')}\n`;
  return `Written to ${folder}: ${files.join(', ')}

  cd ${folder}
  npm install
  npm run types && npm test
${sample}  npm start        # until you press Ctrl-C
${real}`;
}
