import { EMPTY } from 'rxjs';
import { defaultMonitor, type Monitor } from '../core/monitor.js';
import { expectOption, expectText, withDefaults } from '../core/options.js';
import type { Receiver } from './receiver.js';

export interface LogReceiverOptions {
  /** Default `log`. */
  readonly name?: string;
  readonly monitor?: Monitor;
}

/** The defaults of `logReceiver`. */
export const LOG_RECEIVER_DEFAULTS = { name: 'log', monitor: defaultMonitor } as const;

/**
 * Logs alerts as log events of the monitor: `alert.firing` as error (as warning where its severity is not `critical`), and
 * `alert.resolved` as info.
 *
 * ```ts
 * import { logReceiver } from 'rxflume/alerts';
 *
 * export const receivers = [logReceiver()];
 * ```
 *
 * Fails: `OptionError` at the call.
 */
export function logReceiver(options: LogReceiverOptions = {}): Receiver {
  const { name, monitor } = withDefaults('logReceiver options', LOG_RECEIVER_DEFAULTS, options);
  expectText('name', name);
  expectOption('monitor', monitor, typeof monitor?.logEvent === 'function', 'a Monitor');
  return {
    name,
    send: ({ alerts }) => {
      for (const { status, labels, annotations } of alerts) {
        const level = status === 'resolved' ? 'info' : labels.severity === 'critical' ? 'error' : 'warn';
        const verb = status === 'resolved' ? 'Resolved' : 'Alert';
        const message = `${verb} ${labels.alertname}: ${annotations.summary ?? labelText(labels)}`;
        monitor.logEvent(level, `alert.${status}`, /[.?!]$/.test(message) ? message : `${message}.`, {
          labels,
          annotations,
        });
      }
      return EMPTY;
    },
  };
}

function labelText({ alertname: _, ...labels }: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}
