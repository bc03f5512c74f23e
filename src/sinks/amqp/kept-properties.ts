import type { HeaderValue } from '../../core/headers.js';
import { isWellFormed } from '../../core/text.js';
import type { Origin } from '../../delivery/delivery.js';
import { offsetInRun, positionBehindOffset, positionOf } from '../../delivery/origin-position.js';
import type { AmqpProperties, AmqpTable, AmqpValue } from '../../ports/amqp-consumer.js';
import { isAmqpOrigin } from '../../ports/amqp-consumer.js';

/** What a broker writes into the headers by itself: of another message by the time it is published again. */
const OF_THE_BROKER = /^x-(stream-offset|delivery-count|acquired-count|death|(first|last)-death-.+|opt-.+)$/;

/**
 * The properties that a message is published with unless others are given: those it came with from RabbitMQ, without what only
 * held there (its user, its time to live, what the broker noted); of any other origin its headers and its time. The message
 * id, where it has none, is the stream and the offset, by which a reader can tell what comes twice from a stream that is
 * replayed; a part of a value has its number behind it.
 *
 * ```ts
 * import { amqpSink, keptProperties } from 'rxflume';
 * import { amqplib } from 'rxflume/drivers/amqplib';
 *
 * export const orders = amqpSink(amqplib({ urls: ['amqp://mq1'] }), {
 *   exchange: 'orders',
 *   routingKey: 'eu',
 *   properties: (_, { origin }) => ({ ...keptProperties(origin), contentType: 'application/json' }),
 * });
 * ```
 */
export function keptProperties(origin: Origin): AmqpProperties {
  if (!isAmqpOrigin(origin)) {
    return {
      headers: origin.headers === undefined ? undefined : headersFrom(origin.headers),
      // Kafka has −1 where there is none.
      timestamp: origin.timestamp === -1 ? undefined : origin.timestamp,
      messageId: asId(`${origin.stream}@${positionOf(origin)}`),
    };
  }
  const { headers, userId: _user, expirationMs: _expiration, deliveryMode: _mode, ...others } = origin.properties;
  return {
    ...others,
    headers: headers === undefined ? undefined : withoutBrokers(headers),
    messageId: asId(`${others.messageId ?? `${origin.stream}@${offsetInRun(origin)}`}${positionBehindOffset(origin)}`),
  };
}

/** None where it would be too long for a message id: a part of it could be the id of another message too. */
function asId(text: string): string | undefined {
  return isShort(text) && isWellFormed(text) ? text : undefined;
}

/** Whether it fits into what AMQP calls a short string. */
export function isShort(text: string): boolean {
  return Buffer.byteLength(text) <= 255;
}

function withoutBrokers(headers: AmqpTable): AmqpTable {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_THE_BROKER.test(name)));
}

function headersFrom(headers: NonNullable<Origin['headers']>): AmqpTable {
  const all: Record<string, AmqpValue> = {};
  for (const [name, value] of Object.entries(headers)) {
    all[name] = value === null || value instanceof Uint8Array ? textOrBytes(value) : value.map(textOrBytes);
  }
  return all;
}

/** As text where it is text, since that is what readers of AMQP headers expect. */
function textOrBytes(bytes: HeaderValue): AmqpValue {
  if (bytes === null) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return bytes;
  }
}
