import type { AmqpProperties } from '../../ports/amqp-consumer.js';
import type { Options } from './library.js';
import { toWire } from './wire-table.js';

/** The properties of a message as amqplib takes them. Throws `TypeError` where AMQP cannot carry one. */
export function publishOptions(properties: AmqpProperties): Options.Publish {
  const { headers, deliveryMode, expirationMs, timestamp } = properties;
  const options: Options.Publish = { mandatory: true };
  if (headers !== undefined) options.headers = toWire(checkedHeaders(headers));
  if (deliveryMode !== undefined) options.deliveryMode = deliveryMode === 'persistent' ? 2 : 1;
  if (expirationMs !== undefined) options.expiration = wholeFrom0('expirationMs', expirationMs, 2 ** 32 - 1);
  if (timestamp !== undefined) options.timestamp = Math.floor(wholeFrom0('timestamp', timestamp) / 1_000);
  for (const name of AS_THEY_ARE) if (properties[name] !== undefined) options[name] = properties[name] as never;
  return options;
}

const AS_THEY_ARE = [
  'contentType',
  'contentEncoding',
  'priority',
  'correlationId',
  'replyTo',
  'messageId',
  'type',
  'userId',
  'appId',
] as const satisfies readonly (keyof AmqpProperties & keyof Options.Publish)[];

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
