#!/usr/bin/env node
import { describeError } from '../core/errors.js';
import { versionOf } from '../metrics/runtime.js';
import { type Asked, commandOf, readArguments } from './arguments.js';
import type { CommandContext } from './command.js';
import { COMMANDS } from './commands/index.js';
import { type ConsoleLog, consoleLog } from './console-log.js';
import { guardedOutput, type OutputStream } from './guarded-output.js';
import { helpOf, helpOfAll } from './help.js';
import { logOutput } from './log-output.js';
import { isSupervised, supervisedLog } from './supervise/report.js';

// A closed log never stops a flow.
const nowhere = { write: () => undefined };
const err: OutputStream = logOutput(
  guardedOutput(process.stderr, nowhere, () => undefined),
  (count) => err.write(`rxflume: ${droppedText(count)}\n`),
);
const out = guardedOutput(process.stdout, err, (why) =>
  err.write(`rxflume: standard output is gone (${why}). The flow continues; its log is written here.\n`),
);

async function main(args: readonly string[]): Promise<number> {
  let asked: Asked;
  try {
    asked = readArguments(args);
  } catch (error) {
    err.write(`rxflume: ${describeError(error)}\nTry rxflume --help.\n`);
    return 2;
  }
  if (asked.verb === 'version') return print(`${versionOf()}\n`);
  if (asked.verb === 'help') {
    return print(typeof asked.command === 'string' ? helpOf(commandOf(asked.command)) : helpOfAll(COMMANDS));
  }
  const { verb, ...given } = asked;
  const context: CommandContext = { out, err, env: process.env, cwd: process.cwd(), log };
  return commandOf(verb).run(given, context);
}

function log(): ConsoleLog {
  if (isSupervised(process.env)) return supervisedLog();
  const lines = logOutput(out, (count) => own.say('warn', 'log.dropped', droppedText(count), { count }));
  const own: ConsoleLog = consoleLog(lines, () => new Date());
  return own;
}

function droppedText(count: number): string {
  return `Lines dropped from this log here: ${count}, since its reader is slower than what is said. The flow went on.`;
}

function print(text: string): number {
  out.write(text);
  return 0;
}

const code = await main(process.argv.slice(2));
// Sockets of an abandoned flow would keep the process alive; printed output must be flushed before it exits.
const end = () => process.exit(code);
setTimeout(end, 2_000);
try {
  process.stdout.write('', end);
} catch {
  end();
}
