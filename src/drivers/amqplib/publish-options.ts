import { describeValue } from '../../core/errors.js';
import { isWellFormed } from '../../core/text.js';
import type { AmqpProperties } from '../../ports/amqp-consumer.js';
import type { Options } from './library.js';
import { toWire } from './wire-table.js';

/**
 * The properties of a message as amqplib takes them: always with the same keys, of which it leaves out what is undefined.
 * Throws `TypeError` where AMQP cannot carry one.
 */
export function publishOptions(properties: AmqpProperties): Options.Publish {
  const { headers, deliveryMode, expirationMs } = properties;
  const options: { readonly [name in keyof Options.Publish]: unknown } = {
    mandatory: true,
    headers: headers === undefined ? undefined : toWire(checkedHeaders(headers)),
    deliveryMode: deliveryMode === undefined ? undefined : modeOf(deliveryMode),
    expiration: expirationMs === undefined ? undefined : wholeFrom0('expirationMs', expirationMs, 2 ** 32 - 1),
    timestamp: wireTimestampOf(properties),
    contentType: textOf('contentType', properties.contentType),
    contentEncoding: textOf('contentEncoding', properties.contentEncoding),
    priority: properties.priority === undefined ? undefined : wholeFrom0('priority', properties.priority, 255),
    correlationId: textOf('correlationId', properties.correlationId),
    replyTo: textOf('replyTo', properties.replyTo),
    messageId: textOf('messageId', properties.messageId),
    type: textOf('type', properties.type),
    userId: textOf('userId', properties.userId),
    appId: textOf('appId', properties.appId),
  };
  return options as Options.Publish;
}

/** Rejects, before sending, what would make the broker close the channel with everything in flight. */
function checkedHeaders(headers: NonNullable<AmqpProperties['headers']>): NonNullable<AmqpProperties['headers']> {
  for (const name of ['CC', 'BCC']) {
    const value = headers[name];
    const isList = Array.isArray(value) && value.every((one) => typeof one === 'string');
    if (value !== undefined && !isList) throw new TypeError(`the header ${name}, which must be a list of routing keys`);
  }
  return headers;
}

function wireTimestampOf({ timestamp, wireTimestamp }: AmqpProperties): number | undefined {
  // Beyond 2^53 it is as near as a number can be; the wire has 64 bits.
  if (wireTimestamp !== undefined) {
    if (Number.isInteger(wireTimestamp) && wireTimestamp >= 0 && wireTimestamp < 2 ** 64) return wireTimestamp;
    throw new TypeError(`the property wireTimestamp, ${wireTimestamp}, which must be a whole number from 0 below 2^64`);
  }
  return timestamp === undefined ? undefined : Math.floor(wholeFrom0('timestamp', timestamp) / 1_000);
}

function modeOf(mode: unknown): 1 | 2 {
  if (mode === 'persistent') return 2;
  if (mode === 'transient') return 1;
  throw new TypeError(`the property deliveryMode, ${describeValue(mode)}, which must be 'persistent' or 'transient'`);
}

/** A text as it is sent: with an unpaired surrogate it would be another one. */
function textOf(name: string, value: string | undefined): string | undefined {
  if (value === undefined || (typeof value === 'string' && isWellFormed(value) && Buffer.byteLength(value) <= 255))
    return value;
  throw new TypeError(`the property ${name}, ${describeValue(value)}, which must be a text of at most 255 bytes`);
}

function wholeFrom0(name: string, value: number, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
  throw new TypeError(`the property ${name}, ${value}, which must be a whole number from 0 to ${most}`);
}
