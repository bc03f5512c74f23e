import { Subject } from 'rxjs';
import type { AlertEvent } from '../alerts/index.js';
import { metricsHandler } from '../metrics/index.js';
import type { AlertsFile } from './alerts-file.js';
import type { CommandContext } from './command.js';
import type { ConsoleAsked } from './console/console-arguments.js';
import type { ConsoleLog } from './console-log.js';
import { flowOf, loaded } from './flow-of.js';
import type { OutputStream } from './guarded-output.js';
import { letHeapGrow } from './heap-growth.js';
import type { ListenAddress } from './http-server.js';
import { serveMetrics } from './metrics-server.js';
import { notifySystemd } from './notify-systemd.js';
import { run } from './run.js';
import { sayError, startLog } from './say-error.js';
import { isSupervised, report } from './supervise/report.js';
import type { watchAlerts } from './watch-alerts.js';

/** What `rxflume run` is asked to do. */
export interface RunAsked {
  readonly file: string;
  /** The name of one of the flows that the file exports; undefined: the one by default. */
  readonly flow?: string | undefined;
  readonly untilIdleMs: number | null;
  readonly drainTimeoutMs: number;
  /** Null where metrics are not served. */
  readonly metrics: ListenAddress | null;
  /** The file of rules and receivers; undefined where the flow is not watched. */
  readonly alerts?: string | undefined;
  /** Null where the console is not served. */
  readonly console: ConsoleAsked | null;
}

// Read before a flow file is loaded, which may take seconds in which the parent ends.
const parentAtStart = process.ppid;

/** What `rxflume run` does: serves and watches as asked, runs the flow, and drains it on a signal. */
export async function runFlow(asked: RunAsked, context: CommandContext): Promise<number> {
  const { err } = context;
  const log = context.log();
  const flow = await flowOf(asked.file, context, asked.flow);
  if (flow === undefined) return 2;
  let watched: AlertsFile | undefined;
  if (asked.alerts !== undefined) {
    const { alerts } = asked;
    const { loadAlerts } = await import('./alerts-file.js');
    watched = await loaded(() => loadAlerts(alerts), context);
    if (watched === undefined) return 2;
  }
  if (asked.metrics !== null && !(await metricsAreServed(asked.metrics, log, err))) return 2;
  const alerts$ = new Subject<AlertEvent>();
  const endConsole = await consoleIsServed(asked, alerts$, context, log);
  if (endConsole === null) return 2;
  const watching = watched === undefined ? undefined : await startAlerts(watched, log, err, alerts$);
  if (watching === null) return 2;
  const endGrowth = letHeapGrow();
  const running = run(flow, log, asked);
  const endReport = isSupervised(context.env) ? report(running.stop) : undefined;
  const systemd = endReport === undefined ? notifySystemd(flow.name, log) : undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    void systemd?.stopping();
    running.stop(signal);
  };
  // SIGHUP: the terminal is gone.
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal);
  watchNpm(() => running.stop('npm, which started it, has ended'));
  const outcome = await running.exitCode;
  endGrowth();
  systemd?.end();
  endReport?.();
  await watching?.end();
  endConsole();
  return outcome;
}

/** Null, and said why, where an option of the file is wrong: a flow that was to be watched is not run blind. */
async function startAlerts(
  file: AlertsFile,
  log: ConsoleLog,
  err: OutputStream,
  alerts$: Subject<AlertEvent>,
): Promise<ReturnType<typeof watchAlerts> | null> {
  const { watchAlerts: watch } = await import('./watch-alerts.js');
  try {
    return watch(file, log, alerts$);
  } catch (error) {
    sayError(startLog(err), error);
    return null;
  }
}

/** Null, and said why, where that is not possible. Otherwise what ends it. */
async function consoleIsServed(
  { console: asked, alerts }: RunAsked,
  alerts$: Subject<AlertEvent>,
  context: CommandContext,
  log: ConsoleLog,
): Promise<(() => void) | null> {
  if (asked === null) return () => undefined;
  const { serveConsole } = await import('./console/serve-console.js');
  try {
    return await serveConsole(asked, alerts === undefined ? undefined : alerts$, context, log);
  } catch (error) {
    sayError(startLog(context.err), error);
    return null;
  }
}

/** False, and said why, where that is not possible: a flow that was to be watched is not run blind. */
async function metricsAreServed(address: ListenAddress, log: ConsoleLog, err: OutputStream): Promise<boolean> {
  try {
    const { url } = await serveMetrics(metricsHandler(), address);
    log.say('info', 'metrics.listening', `Serving metrics at ${url}/metrics, health at /livez and /readyz.`, { url });
    return true;
  } catch (error) {
    sayError(startLog(err), error);
    return false;
  }
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
