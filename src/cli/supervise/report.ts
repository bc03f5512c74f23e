import { monotonicMs } from '../../core/clock.js';
import { defaultMonitor } from '../../core/monitor.js';
import { livenessOf, readinessOf } from '../../metrics/health.js';
import { METRICS_HANDLER_DEFAULTS } from '../../metrics/index.js';
import { collectProcess } from '../../metrics/runtime.js';
import { statusOf } from '../../metrics/status.js';
import type { ConsoleLog } from '../console-log.js';
import { ProgressReader } from '../progress.js';
import { type ChildMessage, SUPERVISED } from './messages.js';

/** How often the supervisor hears how this process is, in milliseconds. */
const REPORT_EVERY_MS = 1_000;

/** Whether another process of rxflume keeps this one running. */
export function isSupervised(env: NodeJS.ProcessEnv): boolean {
  return env[SUPERVISED] !== undefined && process.send !== undefined;
}

/** The log of a process that is supervised: the supervisor prints it. */
export function supervisedLog(): ConsoleLog {
  return {
    progressEveryMs: 60_000,
    columns: Number.POSITIVE_INFINITY,
    say: (level, name, message, details) =>
      tell({ what: 'log', level, name, message, ...(details !== undefined && { details: printable(details) }) }),
    progress: () => undefined,
  };
}

/** Says each second how this process is, and drains it where the supervisor has gone. Returns what ends that. */
export function report(stop: (why: string) => void): () => void {
  const uncollect = collectProcess(defaultMonitor);
  const progress = new ProgressReader(defaultMonitor, monotonicMs());
  const reporting = setInterval(() => {
    const flows = statusOf(defaultMonitor);
    tell({
      what: 'state',
      progress: progress.read(monotonicMs()),
      readiness: readinessOf(flows, METRICS_HANDLER_DEFAULTS),
      liveness: livenessOf(flows, METRICS_HANDLER_DEFAULTS),
      samples: defaultMonitor.samples(),
      residentBytes: process.memoryUsage.rss(),
    });
  }, REPORT_EVERY_MS);
  reporting.unref();
  const gone = () => stop('the process that supervises it has ended');
  process.once('disconnect', gone);
  return () => {
    clearInterval(reporting);
    uncollect();
    process.off('disconnect', gone);
    if (process.connected) process.disconnect();
  };
}

/** The most messages that wait for a supervisor that does not read; what is more is left out. */
const MAX_WAITING = 1_000;
let waiting = 0;

function tell(message: ChildMessage): void {
  // What comes next says how it is then.
  if (!process.connected || waiting >= (message.what === 'state' ? 1 : MAX_WAITING)) return;
  waiting += 1;
  process.send?.(message, undefined, undefined, () => {
    waiting -= 1;
  });
}

/** Details may hold what cannot be copied to another process, such as a function. */
function printable(details: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return JSON.parse(
    JSON.stringify(details, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  ) as Readonly<Record<string, unknown>>;
}
