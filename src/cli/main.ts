#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeError } from '../core/errors.js';
import { type ConsoleLog, consoleLog } from './console-log.js';
import { loadFlow } from './load-flow.js';
import { run, sayError } from './run.js';

const HELP = `Usage: rxflume run <file> [options]

Runs the flow that <file> (TypeScript or JavaScript) exports as default.

Options:
  --until-idle <ms>      drain and end when nothing came for so long
  --drain-timeout <ms>   the longest a drain may take (default 60000)
  -h, --help             print this
  -v, --version          print the version

SIGINT or SIGTERM drains: takes no more, makes durable what is out, commits, prints a summary. A second one abandons.

Exit codes: 0 drained, 1 failed or abandoned, 2 wrong use.
`;

class WrongUse extends Error {}

interface Command {
  readonly file: string;
  readonly untilIdleMs: number | null;
  readonly drainTimeoutMs: number;
}

async function main(args: readonly string[]): Promise<number> {
  let command: Command | 'help' | 'version';
  try {
    command = parse(args);
  } catch (error) {
    process.stderr.write(`rxflume: ${describeError(error)}\nTry rxflume --help.\n`);
    return 2;
  }
  if (command === 'help') return print(HELP);
  if (command === 'version') return print(`${version()}\n`);

  const log = consoleLog(process.stdout, () => new Date());
  let flow: Awaited<ReturnType<typeof loadFlow>>;
  try {
    flow = await loadFlow(command.file);
  } catch (error) {
    sayError(errorLog(log), error);
    return 2;
  }
  const running = run(flow, log, command);
  const onSignal = (signal: NodeJS.Signals) => running.stop(signal);
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return running.exitCode;
}

function parse(args: readonly string[]): Command | 'help' | 'version' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'until-idle': { type: 'string' },
      'drain-timeout': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
  });
  if (values.help) return 'help';
  if (values.version) return 'version';
  const [verb, file, ...rest] = positionals;
  if (verb === undefined) throw new WrongUse('a command is missing');
  if (verb !== 'run') throw new WrongUse(`there is no command \`${verb}\``);
  if (file === undefined) throw new WrongUse('`run` needs the file of a flow');
  if (rest.length > 0) throw new WrongUse(`\`run\` takes one file, got also \`${rest[0]}\``);
  return {
    file,
    untilIdleMs: values['until-idle'] === undefined ? null : milliseconds('--until-idle', values['until-idle']),
    drainTimeoutMs: milliseconds('--drain-timeout', values['drain-timeout'] ?? '60000'),
  };
}

function milliseconds(option: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value < 2 ** 31) return value;
  throw new WrongUse(`expected \`${option}\` to be a whole number of milliseconds from 1, got \`${text}\``);
}

/** Errors before the run go to standard error, in the form of the log. */
function errorLog(log: ConsoleLog): ConsoleLog {
  return process.stdout.isTTY
    ? log
    : { ...log, say: (_, what, message) => process.stderr.write(`rxflume: ${what}: ${message}\n`) };
}

function version(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

const code = await main(process.argv.slice(2));
// Sockets of an abandoned flow would keep the process; what was printed must be out before it ends.
process.stdout.write('', () => process.exit(code));
