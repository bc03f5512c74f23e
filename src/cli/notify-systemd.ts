import { monotonicMs } from '../core/clock.js';
import { defaultMonitor } from '../core/monitor.js';
import { livenessOf, readinessOf } from '../metrics/health.js';
import { METRICS_HANDLER_DEFAULTS } from '../metrics/index.js';
import { statusOf } from '../metrics/status.js';
import type { ConsoleLog } from './console-log.js';
import { ProgressReader, progressLine } from './progress.js';
import { SystemdNotifier, type SystemdSetting, systemdNotify, systemdService } from './systemd.js';

/** `systemctl status` cuts what is longer. */
export const STATUS_COLUMNS = 160;

/** Tells systemd how the flow is, by what `/readyz` and `/livez` say; undefined where it did not start this process or does not ask. */
export function notifySystemd(flow: string, log: ConsoleLog): SystemdNotifier | undefined {
  const progress = new ProgressReader(defaultMonitor, monotonicMs());
  return notifySystemdOf({
    isReady: () => readinessOf(statusOf(defaultMonitor), METRICS_HANDLER_DEFAULTS).ok,
    liveness: () => livenessOf(statusOf(defaultMonitor), METRICS_HANDLER_DEFAULTS),
    status: () => progressLine(flow, progress.read(monotonicMs()), STATUS_COLUMNS),
    say: (level, what, message) => log.say(level, what, message, { flow }),
  });
}

/** The same of what is known in another way. */
export function notifySystemdOf(known: Omit<SystemdSetting, 'service' | 'send'>): SystemdNotifier | undefined {
  const service = systemdService(process.env, process.pid);
  return service === undefined ? undefined : new SystemdNotifier({ ...known, service, send: systemdNotify });
}
