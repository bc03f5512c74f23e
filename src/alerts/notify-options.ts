import { BACKOFF_DEFAULTS, type BackoffOptions, expectBackoff } from '../backpressure/backoff.js';
import { defaultMonitor, type Monitor } from '../core/monitor.js';
import { expectMs, expectOption, expectWhole, groupWithDefaults, withDefaults } from '../core/options.js';
import type { AlertStateStore } from './file-state.js';
import type { Receiver } from './receiver.js';
import { expectSilences, type Silence } from './silence.js';

export interface AlertRetryOptions extends BackoffOptions {
  /** How often a notification is tried before it waits for the next interval of its group. Default 5. */
  readonly maxAttempts?: number;
}

export interface NotifyOptions {
  /** Each gets all alerts. Lists of them, as `alertmanagerReceiver` gives, may be among them. */
  readonly receivers: readonly (Receiver | readonly Receiver[])[];
  /** Labels whose values make a group, which is notified as one. Default `alertname`, `flow`. */
  readonly groupBy?: readonly string[];
  /** How long a new group waits for more alerts before it is notified. Default 1,000. */
  readonly groupWaitMs?: number;
  /** How long after that until changes of the group are notified. Default 60,000. */
  readonly groupIntervalMs?: number;
  /** After how long what still fires is notified again. Default four hours. */
  readonly repeatIntervalMs?: number;
  readonly silences?: readonly Silence[];
  /** Where alerts and what was notified survive a restart. Default: nowhere. */
  readonly state?: AlertStateStore;
  readonly retry?: AlertRetryOptions;
  /** How long a receiver may take for one attempt. Default 30,000. */
  readonly sendTimeoutMs?: number;
  /** How long is waited for receivers when the alerts complete. Default 5,000. */
  readonly drainTimeoutMs?: number;
  readonly monitor?: Monitor;
}

/** The defaults of `notify`. */
export const NOTIFY_DEFAULTS = {
  groupBy: ['alertname', 'flow'],
  groupWaitMs: 1_000,
  groupIntervalMs: 60_000,
  repeatIntervalMs: 14_400_000,
  silences: [],
  retry: { maxAttempts: 5, firstDelayMs: 1_000, maxDelayMs: 30_000 },
  sendTimeoutMs: 30_000,
  drainTimeoutMs: 5_000,
  monitor: defaultMonitor,
} as const;

export type CheckedOptions = ReturnType<typeof checkOptions>;

/** Fills in the defaults and checks all of it. Throws `OptionError`. */
export function checkOptions(options: NotifyOptions) {
  const checked = withDefaults('notify options', NOTIFY_DEFAULTS, options, ['receivers', 'state']);
  const { groupBy, silences, state, monitor } = checked;
  const isList = Array.isArray(checked.receivers);
  const receivers = isList ? (checked.receivers.flat() as Receiver[]) : [];
  const isReceiver = (one: Receiver) => typeof one?.send === 'function' && typeof one.name === 'string';
  expectOption(
    'receivers',
    checked.receivers,
    receivers.length > 0 && receivers.every(isReceiver),
    'a non-empty list of receivers',
  );
  const names = receivers.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  expectOption('receivers', twice ?? names, twice === undefined, 'receivers of different names: give one a `name`');
  const areLabels = Array.isArray(groupBy) && groupBy.every((label) => typeof label === 'string');
  expectOption('groupBy', groupBy, areLabels, 'a list of names of labels');
  expectMs('groupWaitMs', checked.groupWaitMs);
  expectMs('groupIntervalMs', checked.groupIntervalMs, 1);
  expectMs('repeatIntervalMs', checked.repeatIntervalMs, 1);
  expectMs('sendTimeoutMs', checked.sendTimeoutMs, 1);
  expectMs('drainTimeoutMs', checked.drainTimeoutMs);
  expectSilences('silences', silences);
  expectOption(
    'state',
    state,
    state === undefined || typeof state?.load === 'function',
    'an AlertStateStore such as fileState(path)',
  );
  const retry = groupWithDefaults('retry', { ...BACKOFF_DEFAULTS, ...NOTIFY_DEFAULTS.retry }, options.retry);
  expectBackoff(retry, 'retry');
  expectWhole('retry.maxAttempts', retry.maxAttempts, 1);
  expectOption('monitor', monitor, typeof monitor?.logEvent === 'function', 'a Monitor');
  return { ...checked, receivers, retry };
}
