import { expectOneOf, expectWhole, withDefaults } from '../../core/options.js';
import { KiB, MiB } from '../../core/units.js';
import { checkListening, LISTENING, type ListeningOptions } from '../listening/options.js';

/** `lines`: each ends in LF or CR LF. `length-prefixed`: each begins with its length, four bytes, big-endian. */
export type NetFraming = 'lines' | 'length-prefixed';

export interface NetSourceOptions extends Omit<ListeningOptions, 'settleAfterMs'> {
  /** How a stream is divided into values; a datagram is one value, less the end of its last line. Default `lines`. */
  readonly framing?: NetFraming;
  /** The most bytes of a value; a longer one is shortened and has the header `truncated`. Default 64 KiB. */
  readonly maxMessageBytes?: number;
  /** The most memory for values that have begun and not ended, of all clients together. Default 256 MiB. */
  readonly maxBufferedBytes?: number;
  /** What happens at a nack, since no client sends anything again: `stop` drains and fails; `drop` counts it as lost. Default `stop`. */
  readonly whenNacked?: 'stop' | 'drop';
}

/** The defaults of `netSource`. */
export const NET_SOURCE_DEFAULTS = {
  window: LISTENING.window,
  drainTimeoutMs: LISTENING.drainTimeoutMs,
  monitor: LISTENING.monitor,
  framing: 'lines',
  maxMessageBytes: 64 * KiB,
  maxBufferedBytes: 256 * MiB,
  whenNacked: 'stop',
} as const satisfies Partial<NetSourceOptions>;

export type CheckedOptions = ReturnType<typeof checkOptions>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions(given: NetSourceOptions) {
  const own = withDefaults('netSource options', NET_SOURCE_DEFAULTS, given, ['name']);
  const options = checkListening({ ...own, settleAfterMs: LISTENING.settleAfterMs });
  expectOneOf('framing', options.framing, ['lines', 'length-prefixed']);
  expectOneOf('whenNacked', options.whenNacked, ['stop', 'drop']);
  expectWhole('maxMessageBytes', options.maxMessageBytes, 1, 2 ** 30);
  expectWhole('maxBufferedBytes', options.maxBufferedBytes, 1);
  return options;
}
