#!/usr/bin/env node
import { describeError } from '../core/errors.js';
import { shownText } from '../core/text.js';
import { metricsHandler } from '../metrics/index.js';
import { versionOf } from '../metrics/runtime.js';
import type { AlertsFile } from './alerts-file.js';
import { type Asked, HELP, readArguments } from './arguments.js';
import { checkText } from './check.js';
import { type ConsoleLog, consoleLog } from './console-log.js';
import { errorPlace } from './error-place.js';
import { graphOf } from './graph.js';
import { guardedOutput, type OutputStream } from './guarded-output.js';
import { helpOf } from './help.js';
import { ledger } from './ledger.js';
import { loadFlow } from './load-flow.js';
import { logOutput } from './log-output.js';
import { type MetricsAddress, serveMetrics } from './metrics-server.js';
import { run, sayError } from './run.js';
import type { watchAlerts } from './watch-alerts.js';

// Read before a flow file is loaded, which may take seconds in which the parent ends.
const parentAtStart = process.ppid;

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
  if (asked.verb === 'help') return print(asked.command === undefined ? HELP : helpOf(asked.command, HELP));
  if (asked.verb === 'version') return print(`${versionOf()}\n`);

  if (asked.verb === 'ledger') {
    return ledger(asked, { out, err, env: process.env, cwd: process.cwd() });
  }

  if (asked.verb === 'schema') {
    const { schema } = await import('./schema/schema.js');
    return schema(asked, { out, err, env: process.env });
  }
  if (asked.verb === 'alerts') {
    const { alertsCommand } = await import('./alerts.js');
    return alertsCommand(asked, { out, err, env: process.env, cwd: process.cwd() });
  }

  const log: ConsoleLog = consoleLog(
    logOutput(out, (count) => log.say('warn', 'log.dropped', droppedText(count), { count })),
    () => new Date(),
  );
  let flow: Awaited<ReturnType<typeof loadFlow>>;
  let watched: AlertsFile | undefined;
  try {
    flow = await loadFlow(asked.file);
    if (asked.verb === 'run' && asked.alerts !== undefined) {
      const { loadAlerts } = await import('./alerts-file.js');
      watched = await loadAlerts(asked.alerts);
    }
  } catch (error) {
    sayError(errorLog(log), error);
    const place = errorPlace(error, process.cwd());
    if (place !== undefined) err.write(`  at ${place}\n`);
    return 2;
  }
  if (asked.verb === 'plan') {
    const { plan } = await import('./plan/plan.js');
    return plan(flow, asked, { out, err });
  }
  if (asked.verb === 'graph') return print(graphOf(flow, asked.form));
  if (asked.verb === 'check') return print(checkText(flow));
  if (asked.metrics !== null && !(await metricsAreServed(asked.metrics, log))) return 2;
  const watching = watched === undefined ? undefined : await startAlerts(watched, log);
  if (watching === null) return 2;
  const running = run(flow, log, asked);
  const onSignal = (signal: NodeJS.Signals) => running.stop(signal);
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  watchNpm(() => running.stop('npm, which started it, has ended'));
  const outcome = await running.exitCode;
  await watching?.end();
  return outcome;
}

/** Null, and said why, where an option of the file is wrong: a flow that was to be watched is not run blind. */
async function startAlerts(file: AlertsFile, log: ConsoleLog): Promise<ReturnType<typeof watchAlerts> | null> {
  const { watchAlerts: watch } = await import('./watch-alerts.js');
  try {
    return watch(file, log);
  } catch (error) {
    sayError(errorLog(log), error);
    return null;
  }
}

/** False, and said why, where that is not possible: a flow that was to be watched is not run blind. */
async function metricsAreServed(address: MetricsAddress, log: ConsoleLog): Promise<boolean> {
  try {
    const { url } = await serveMetrics(metricsHandler(), address);
    log.say('info', 'metrics.listening', `Serving metrics at ${url}/metrics, health at /livez and /readyz.`, { url });
    return true;
  } catch (error) {
    sayError(errorLog(log), error);
    return false;
  }
}

function droppedText(count: number): string {
  return `Lines dropped from this log here: ${count}, since its reader is slower than what is said. The flow went on.`;
}

/** Errors before the run go to standard error, as text. */
function errorLog(log: ConsoleLog): ConsoleLog {
  return { ...log, say: (_, what, message) => err.write(`rxflume: ${shownText(`${what}: ${message}`)}\n`) };
}

function print(text: string): number {
  out.write(text);
  return 0;
}

/**
 * npm and npx pass a signal to the shell between them and this program, and some shells end by it without passing it on.
 * Then this program has another parent than at its start.
 *
 * Source: @npmcli/run-script, lib/signal-manager.js
 */
function watchNpm(onGone: () => void): void {
  if (process.env.npm_execpath === undefined) return;
  const watching = setInterval(() => {
    if (process.ppid === parentAtStart) return;
    clearInterval(watching);
    onGone();
  }, 500);
  watching.unref();
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
