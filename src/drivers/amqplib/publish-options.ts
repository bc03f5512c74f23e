import type { AmqpProperties } from '../../ports/amqp-consumer.js';
import type { Options } from './library.js';
import { toWire } from './wire-table.js';

/**
 * The properties of a message as amqplib takes them: always with the same keys, of which it leaves out what is undefined.
 * Throws `TypeError` where AMQP cannot carry one.
 */
export function publishOptions(properties: AmqpProperties): Options.Publish {
  const { headers, deliveryMode, expirationMs, timestamp } = properties;
  const options: { readonly [name in keyof Options.Publish]: unknown } = {
    mandatory: true,
    headers: headers === undefined ? undefined : toWire(checkedHeaders(headers)),
    deliveryMode: deliveryMode === undefined ? undefined : deliveryMode === 'persistent' ? 2 : 1,
    expiration: expirationMs === undefined ? undefined : wholeFrom0('expirationMs', expirationMs, 2 ** 32 - 1),
    timestamp: timestamp === undefined ? undefined : Math.floor(wholeFrom0('timestamp', timestamp) / 1_000),
    contentType: properties.contentType,
    contentEncoding: properties.contentEncoding,
    priority: properties.priority,
    correlationId: properties.correlationId,
    replyTo: properties.replyTo,
    messageId: properties.messageId,
    type: properties.type,
    userId: properties.userId,
    appId: properties.appId,
  };
  return options as Options.Publish;
}

/** What the broker answers by ending the channel, and with it all that is under way, is refused before it is sent. */
function checkedHeaders(headers: NonNullable<AmqpProperties['headers']>): NonNullable<AmqpProperties['headers']> {
  for (const name of ['CC', 'BCC']) {
    const value = headers[name];
    const isList = Array.isArray(value) && value.every((one) => typeof one === 'string');
    if (value !== undefined && !isList) throw new TypeError(`the header ${name}, which must be a list of routing keys`);
  }
  return headers;
}

function wholeFrom0(name: string, value: number, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
  throw new TypeError(`the property ${name}, ${value}, which must be a whole number from 0 to ${most}`);
}
