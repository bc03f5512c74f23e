#!/usr/bin/env node
import { createRequire } from 'node:module';
import { describeError } from '../core/errors.js';
import { type Asked, HELP, readArguments } from './arguments.js';
import { checkText } from './check.js';
import { type ConsoleLog, consoleLog } from './console-log.js';
import { ledger } from './ledger.js';
import { loadFlow } from './load-flow.js';
import { run, sayError } from './run.js';

async function main(args: readonly string[]): Promise<number> {
  let asked: Asked;
  try {
    asked = readArguments(args);
  } catch (error) {
    process.stderr.write(`rxflume: ${describeError(error)}\nTry rxflume --help.\n`);
    return 2;
  }
  if (asked.verb === 'help') return print(HELP);
  if (asked.verb === 'version') return print(`${version()}\n`);

  if (asked.verb === 'ledger') {
    return ledger(asked, { out: process.stdout, err: process.stderr, env: process.env, cwd: process.cwd() });
  }

  const log = consoleLog(process.stdout, () => new Date());
  let flow: Awaited<ReturnType<typeof loadFlow>>;
  try {
    flow = await loadFlow(asked.file);
  } catch (error) {
    sayError(errorLog(log), error);
    return 2;
  }
  if (asked.verb === 'check') return print(checkText(flow));
  const running = run(flow, log, asked);
  const onSignal = (signal: NodeJS.Signals) => running.stop(signal);
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return running.exitCode;
}

/** Errors before the run go to standard error, as text. */
function errorLog(log: ConsoleLog): ConsoleLog {
  return { ...log, say: (_, what, message) => process.stderr.write(`rxflume: ${what}: ${message}\n`) };
}

function version(): string {
  return (createRequire(import.meta.url)('rxflume/package.json') as { version: string }).version;
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

const code = await main(process.argv.slice(2));
// Sockets of an abandoned flow would keep the process; what was printed must be out before it ends.
process.stdout.write('', () => process.exit(code));
