import type { WindowLimits } from '../../backpressure/in-flight-window.js';
import type { Monitor } from '../../core/monitor.js';
import { withDefaults } from '../../core/options.js';
import { checkListening, LISTENING } from '../listening/options.js';

export interface FlumeSourceOptions {
  /** Names the stream, `flume:<name>`, and with it the files and metrics made of it. */
  readonly name: string;
  /** The most that is out and not released; while it is full, clients wait for their answers. Default 100,000 events and 64 MiB. */
  readonly window?: Partial<WindowLimits>;
  /**
   * How long a client waits for an answer before the holders are asked to make durable what they hold, in milliseconds.
   * Well under the clients' `request-timeout`, after which they send again. Default 1,000.
   */
  readonly settleAfterMs?: number;
  /** The longest a drain waits for what is out. Default 30,000. */
  readonly drainTimeoutMs?: number;
  readonly monitor?: Monitor;
}

/** The defaults of `flumeSource`. */
export const FLUME_SOURCE_DEFAULTS = LISTENING;

export type CheckedOptions = ReturnType<typeof checkOptions>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions(given: FlumeSourceOptions) {
  return checkListening(withDefaults('flumeSource options', FLUME_SOURCE_DEFAULTS, given, ['name']));
}
