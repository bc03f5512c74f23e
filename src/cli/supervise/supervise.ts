import { fileURLToPath } from 'node:url';
import { monotonicMs } from '../../core/clock.js';
import { answering } from '../../metrics/handler.js';
import type { CommandContext } from '../command.js';
import { notedConsoles, runtimeFolder } from '../console/runtime-file.js';
import type { ConsoleLog } from '../console-log.js';
import { serveMetrics } from '../metrics-server.js';
import { notifySystemdOf, STATUS_COLUMNS } from '../notify-systemd.js';
import { progressLine } from '../progress.js';
import type { RunAsked } from '../run-flow.js';
import { sayError, startLog } from '../say-error.js';
import type { ChildSetting } from './child.js';
import { loadedFlows } from './loaded-flows.js';
import { type Post, postsOf } from './roster.js';
import { Supervisor } from './supervisor.js';
import { watchFiles } from './watch-files.js';

/** What `rxflume run` is asked to do with several files or processes. */
export interface SuperviseAsked extends Omit<RunAsked, 'file' | 'flow'> {
  readonly files: readonly string[];
  /** For each flow. */
  readonly processes: number;
  readonly isWatched: boolean;
  readonly maxMemoryMib: number | undefined;
  readonly threads: number | undefined;
}

const PROGRAM = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url));

/** After the drain a process has so long to close and to tell receivers of alerts, before it is killed, in milliseconds. */
const CLOSE_MS = 12_000;
/** A signal to a process group arrives at each of its processes, and passed on: within this time it counts as one. */
const ONE_SIGNAL_MS = 500;

/**
 * Runs each flow of the files in processes of their own, and keeps them running: what fails is started again, files that change are
 * loaded anew, and signals are passed on. None of the flows' code runs in this process.
 *
 * Settles: with 0 when all have drained, 1 where one failed for good, 2 where the files cannot be run.
 */
export async function supervise(asked: SuperviseAsked, context: CommandContext): Promise<number> {
  const { err } = context;
  const log = context.log();
  const posts = await postsOfFiles(asked);
  if (typeof posts === 'string') {
    err.write(`rxflume: ${posts}\n`);
    return 2;
  }
  const supervisor = new Supervisor(posts, settingOf(asked, context), log);
  log.say('info', 'processes.started', `Running ${countText(posts)}.`, { processes: posts.map(({ id }) => id) });
  const cleanups: (() => void)[] = [];
  try {
    cleanups.push(await metricsOf(asked, supervisor, log), await consoleOf(asked, supervisor, context, log));
  } catch (error) {
    sayError(startLog(err), error);
    supervisor.stop();
    await supervisor.exitCode;
    return 2;
  }
  const systemd = notifySystemdOf({
    isReady: () => supervisor.readiness.ok,
    liveness: () => supervisor.liveness,
    status: () => lineOf(supervisor, STATUS_COLUMNS),
    say: (level, what, message) => log.say(level, what, message),
  });
  const showing = setInterval(() => {
    // A terminal has one line; elsewhere each flow has its own.
    const parts = process.stdout.isTTY ? [undefined] : flowsOf(supervisor);
    for (const flow of parts) {
      const progress = supervisor.progress(flow);
      const facts = { ...(flow !== undefined && { flow }), ...progress };
      if (progress !== undefined) log.progress(lineOf(supervisor, log.columns), facts);
    }
  }, log.progressEveryMs);
  const reload = () => void reloaded(asked, supervisor, log);
  if (asked.isWatched) cleanups.push(watchFiles(asked.files, reload));
  const stop = stopping(asked, supervisor, log, () => void systemd?.stopping());
  process.on('SIGINT', stop).on('SIGTERM', stop);
  // On a terminal it says that the terminal is gone; a service is asked to load its files again.
  process.on('SIGHUP', process.stdout.isTTY ? stop : reload);
  const code = await supervisor.exitCode;
  clearInterval(showing);
  systemd?.end();
  for (const cleanup of cleanups) cleanup();
  log.say(
    'info',
    'summary',
    `All processes have ended; ${code === 0 ? 'each has drained' : 'at least one has failed'}.`,
  );
  return code;
}

async function postsOfFiles({ files, processes }: SuperviseAsked): Promise<readonly Post[] | string> {
  const loaded = await loadedFlows(PROGRAM, process.execArgv, files);
  return 'problem' in loaded ? loaded.problem : postsOf(loaded.flows, processes);
}

function settingOf(asked: SuperviseAsked, { env }: CommandContext): ChildSetting {
  const { drainTimeoutMs, untilIdleMs, alerts, console: served, maxMemoryMib, threads } = asked;
  // This process speaks to systemd, for all.
  const { NOTIFY_SOCKET: _socket, WATCHDOG_USEC: _usec, WATCHDOG_PID: _pid, ...rest } = env;
  return {
    program: PROGRAM,
    execArgv: process.execArgv,
    env: { ...rest, ...(threads !== undefined && { UV_THREADPOOL_SIZE: String(threads) }) },
    argumentsOf: ({ id }) => [
      ...['--drain-timeout', String(drainTimeoutMs)],
      ...(untilIdleMs === null ? [] : ['--until-idle', String(untilIdleMs)]),
      ...(alerts === undefined ? [] : ['--alerts', alerts]),
      ...(served === null ? [] : ['--console', '127.0.0.1:0', '--console-name', id]),
      ...(served?.readOnly ? ['--console-read-only'] : []),
    ],
    killAfterMs: drainTimeoutMs + CLOSE_MS,
    maxMemoryBytes: maxMemoryMib === undefined ? undefined : maxMemoryMib * 2 ** 20,
  };
}

async function metricsOf({ metrics }: SuperviseAsked, supervisor: Supervisor, log: ConsoleLog): Promise<() => void> {
  if (metrics === null) return () => undefined;
  const handle = answering({
    samples: () => supervisor.samples(),
    livez: () => supervisor.liveness,
    readyz: () => supervisor.readiness,
  });
  const { url, close } = await serveMetrics(handle, metrics);
  const message = `Serving metrics of all processes at ${url}/metrics, health at /livez and /readyz.`;
  log.say('info', 'metrics.listening', message, { url });
  return close;
}

/** A console for all processes: it has no flow of its own, and shows those of the processes, which each serve theirs on loopback. */
async function consoleOf(
  asked: SuperviseAsked,
  supervisor: Supervisor,
  context: CommandContext,
  log: ConsoleLog,
): Promise<() => void> {
  if (asked.console === null) return () => undefined;
  const folder = runtimeFolder(context.env);
  const ownPeers = () => {
    const pids = new Set(supervisor.children.map(({ pid }) => pid));
    return notedConsoles(folder).flatMap(({ url, pid }) => (pids.has(pid) ? [url] : []));
  };
  const { serveConsole } = await import('../console/serve-console.js');
  return serveConsole(asked.console, undefined, context, log, ownPeers);
}

/** Loads the files again, and goes on with what is in them; where they are wrong, with what runs. */
async function reloaded(asked: SuperviseAsked, supervisor: Supervisor, log: ConsoleLog): Promise<void> {
  if (supervisor.isStopping) return;
  const posts = await postsOfFiles(asked);
  if (typeof posts === 'string') {
    log.say('error', 'reload.failed', `The files are not loaded again, and what runs goes on: ${posts}`);
    return;
  }
  log.say('info', 'reloading', `The files are loaded again: one process after another drains and starts anew.`);
  const before = monotonicMs();
  await supervisor.reload(posts);
  if (supervisor.isStopping) return;
  const seconds = (monotonicMs() - before) / 1_000;
  log.say('info', 'reloaded', `Running ${countText(posts)}, as the files say now, after ${seconds.toFixed(1)} s.`, {
    seconds,
  });
}

/** The first signal drains all, a second one abandons. */
function stopping(
  { drainTimeoutMs }: SuperviseAsked,
  supervisor: Supervisor,
  log: ConsoleLog,
  first: () => void,
): (signal: NodeJS.Signals) => void {
  let since: number | undefined;
  return (signal) => {
    if (since !== undefined && monotonicMs() - since < ONE_SIGNAL_MS) return;
    if (since === undefined) {
      first();
      log.say('info', 'draining', `Draining all (${signal}); at most ${drainTimeoutMs} ms, a second signal abandons.`);
    }
    since = monotonicMs();
    supervisor.stop();
  };
}

function flowsOf({ children }: Supervisor): readonly string[] {
  return [...new Set(children.map(({ post }) => post.flow))];
}

function countText(posts: readonly Post[]): string {
  const flows = new Set(posts.map(({ flow }) => flow)).size;
  return `${flows} ${flows === 1 ? 'flow' : 'flows'} in ${posts.length} ${posts.length === 1 ? 'process' : 'processes'}`;
}

function lineOf(supervisor: Supervisor, columns: number): string {
  const { children } = supervisor;
  const running = children.filter(({ state }) => state !== undefined).length;
  const name = `${running}/${children.length} processes`;
  const progress = supervisor.progress();
  return progress === undefined ? name : progressLine(name, progress, columns);
}
