import { expectFunction, expectOption, expectWhole, withDefaults } from '../../core/options.js';
import type { OffsetStore } from '../../offsets/offset-store.js';
import { AMQP_READ_DEFAULTS, type AmqpReadOptions, checkReadOptions, WITHOUT_DEFAULT } from './options.js';

/** Where a stream begins: an offset, its first message, its last chunk, or what is published from now on. */
export type StreamStart = 'first' | 'last' | 'next' | number;

export interface AmqpStreamSourceOptions extends AmqpReadOptions {
  /**
   * The most messages of each stream that are out and not released, and so in memory, 1 to 65,535. Default 10,000.
   */
  readonly prefetch?: number;
  /** Where to begin in a stream that has no position. Default `first`. */
  readonly startAt?: StreamStart;
  /**
   * Asked before each channel where to resume the streams. `lake.offsetStore` of the file sink that the flow ends in makes its
   * files exactly-once. Without it each run begins at `startAt`: RabbitMQ keeps no position over AMQP.
   */
  readonly resumeFrom?: OffsetStore;
  /** The most messages that would be redelivered after a crash; reaching it asks the sinks to settle. Default 20,000,000. */
  readonly maxUnacked?: number;
}

/** The defaults of `amqpStreamSource`. */
export const AMQP_STREAM_SOURCE_DEFAULTS = {
  ...AMQP_READ_DEFAULTS,
  prefetch: 10_000,
  startAt: 'first',
  maxUnacked: 20_000_000,
} as const satisfies Partial<AmqpStreamSourceOptions>;

export type CheckedStreamOptions = ReturnType<typeof checkStreamOptions>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkStreamOptions(given: AmqpStreamSourceOptions) {
  const others = [...WITHOUT_DEFAULT, 'resumeFrom'];
  const options = checkReadOptions(
    withDefaults('amqpStreamSource options', AMQP_STREAM_SOURCE_DEFAULTS, given, others),
  );
  const { startAt, resumeFrom, maxUnacked, declare } = options;
  const isStart = ['first', 'last', 'next'].includes(String(startAt));
  const isOffset = Number.isSafeInteger(startAt) && Number(startAt) >= 0;
  expectOption('startAt', startAt, isStart || isOffset, "'first', 'last', 'next' or an offset from 0");
  if (resumeFrom !== undefined) expectFunction('resumeFrom', resumeFrom);
  expectWhole('maxUnacked', maxUnacked, 1, 2 ** 31 - 1);
  if (declare !== undefined) expectOption('declare.kind', declare.kind, declare.kind === 'stream', "'stream'");
  return options;
}
