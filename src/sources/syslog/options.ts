import { expectOneOf, expectWhole, withDefaults } from '../../core/options.js';
import { KiB, MiB } from '../../core/units.js';
import { checkListening, LISTENING, type ListeningOptions } from '../listening/options.js';
import type { SyslogFraming } from './syslog-framer.js';

export interface SyslogSourceOptions extends ListeningOptions {
  /**
   * How a stream is divided into messages; a datagram is one message. `auto`: by octet counting or by line feeds, as the first
   * message of a connection is. `relp`: RELP, which answers each message when it is durable. Default `auto`.
   */
  readonly framing?: SyslogFraming | 'relp';
  /** What becomes of a message that has no priority: `mark` delivers it as `unparsed`, `drop` counts it as lost. Default `mark`. */
  readonly invalid?: 'mark' | 'drop';
  /** The most bytes of a message; of a longer one so much is delivered, with `isTruncated`. Default 64 KiB. */
  readonly maxMessageBytes?: number;
  /** The most memory for messages that have begun and not ended, of all clients together. Default 256 MiB. */
  readonly maxBufferedBytes?: number;
  /**
   * What happens at a nack where no client sends anything again, which is all but RELP: `stop` drains and fails; `drop` counts it
   * as lost. Default `stop`.
   */
  readonly whenNacked?: 'stop' | 'drop';
}

/** The defaults of `syslogSource`. */
export const SYSLOG_SOURCE_DEFAULTS = {
  ...LISTENING,
  framing: 'auto',
  invalid: 'mark',
  maxMessageBytes: 64 * KiB,
  maxBufferedBytes: 256 * MiB,
  whenNacked: 'stop',
} as const satisfies Partial<SyslogSourceOptions>;

export type CheckedOptions = ReturnType<typeof checkOptions>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions(given: SyslogSourceOptions) {
  const options = checkListening(withDefaults('syslogSource options', SYSLOG_SOURCE_DEFAULTS, given, ['name']));
  expectOneOf('framing', options.framing, ['auto', 'octet-counting', 'lf', 'relp']);
  expectOneOf('invalid', options.invalid, ['mark', 'drop']);
  expectOneOf('whenNacked', options.whenNacked, ['stop', 'drop']);
  expectWhole('maxMessageBytes', options.maxMessageBytes, 1, 2 ** 30);
  expectWhole('maxBufferedBytes', options.maxBufferedBytes, 1);
  return options;
}
