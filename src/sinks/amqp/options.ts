import { BACKOFF_DEFAULTS, type BackoffOptions, expectBackoff } from '../../backpressure/backoff.js';
import { defaultMonitor, type Monitor } from '../../core/monitor.js';
import {
  expectFunction,
  expectMs,
  expectOption,
  expectWhole,
  groupWithDefaults,
  withDefaults,
} from '../../core/options.js';
import { MiB } from '../../core/units.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { AmqpProperties } from '../../ports/amqp-consumer.js';
import { isShort, keptProperties } from './kept-properties.js';

/** How a channel that was lost is opened anew. */
export interface AmqpSinkReconnectOptions extends BackoffOptions {
  /** After so many failures in a row what waits is nacked; the sink connects again when more comes. Default 5. */
  readonly maxAttempts?: number;
}

export interface AmqpSinkOptions<T> {
  /** Where messages are published to; it must be there. Default: the default exchange, which routes by the queue's name. */
  readonly exchange?: string;
  /** The routing key: of all messages, or of each. With the default exchange the name of a queue. */
  readonly routingKey: string | ((value: T, delivery: Delivery<T>) => string);
  /** The message's bytes, or its text. Default: the value itself, where it is one of these. */
  readonly encode?: (value: T, delivery: Delivery<T>) => Uint8Array | string;
  /** The message's properties; persistent unless they say otherwise. Default `keptProperties` of its origin. */
  readonly properties?: (value: T, delivery: Delivery<T>) => AmqpProperties;
  /** The most messages published and not confirmed. Default 2,000. */
  readonly maxInFlight?: number;
  /** The most bytes published and not confirmed; a larger message goes alone. Default 16 MiB. */
  readonly maxInFlightBytes?: number;
  /** How long nothing may be confirmed, though something is under way, before the channel is given up, in milliseconds. Default 30,000. */
  readonly confirmTimeoutMs?: number;
  /** Default 5 times in a row, from 500 ms to 30,000 ms apart. */
  readonly reconnect?: AmqpSinkReconnectOptions;
  readonly monitor?: Monitor;
}

/** The defaults of `amqpSink`. */
export const AMQP_SINK_DEFAULTS = {
  exchange: '',
  properties: (_: unknown, { origin }: Delivery<unknown>) => keptProperties(origin),
  maxInFlight: 2_000,
  maxInFlightBytes: 16 * MiB,
  confirmTimeoutMs: 30_000,
  reconnect: { ...BACKOFF_DEFAULTS, maxAttempts: 5 },
  monitor: defaultMonitor,
} as const satisfies Partial<AmqpSinkOptions<unknown>>;

export type CheckedOptions<T> = ReturnType<typeof checkOptions<T>>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions<T>(given: AmqpSinkOptions<T>) {
  const options = {
    ...withDefaults('amqpSink options', AMQP_SINK_DEFAULTS, given, ['routingKey', 'encode']),
    reconnect: groupWithDefaults('reconnect', AMQP_SINK_DEFAULTS.reconnect, given.reconnect),
  };
  const { exchange, routingKey, encode, reconnect } = options;
  expectOption('exchange', exchange, typeof exchange === 'string' && isShort(exchange), 'a text of at most 255 bytes');
  if (typeof routingKey === 'string') {
    const isNamed = exchange !== '' || routingKey !== '';
    expectOption('routingKey', routingKey, isNamed && isShort(routingKey), 'a queue, or a text of at most 255 bytes');
  } else expectFunction('routingKey', routingKey);
  if (encode !== undefined) expectFunction('encode', encode);
  expectFunction('properties', options.properties);
  expectWhole('maxInFlight', options.maxInFlight, 1, 1_000_000);
  expectWhole('maxInFlightBytes', options.maxInFlightBytes, 1);
  expectMs('confirmTimeoutMs', options.confirmTimeoutMs, 1);
  expectWhole('reconnect.maxAttempts', reconnect.maxAttempts, 1);
  expectBackoff(reconnect, 'reconnect');
  expectOption('monitor', options.monitor, typeof options.monitor?.metric === 'function', 'a Monitor');
  return options;
}
