import type { AmqpMessage, AmqpProperties } from '../../ports/amqp-consumer.js';
import { amqpTimeOf } from '../../ports/amqp-timestamp.js';
import type { ConsumeMessage } from './library.js';
import { fromWire } from './wire-table.js';

/** A message over what amqplib made of it; its properties are made when they are asked for. */
export class ReceivedMessage implements AmqpMessage {
  readonly #raw: ConsumeMessage;
  #properties: AmqpProperties | undefined;

  constructor(raw: ConsumeMessage) {
    this.#raw = raw;
  }

  get deliveryTag(): number {
    return this.#raw.fields.deliveryTag;
  }

  get isRedelivered(): boolean {
    return this.#raw.fields.redelivered;
  }

  get exchange(): string {
    return this.#raw.fields.exchange;
  }

  get routingKey(): string {
    return this.#raw.fields.routingKey;
  }

  get content(): Buffer {
    return this.#raw.content;
  }

  get properties(): AmqpProperties {
    this.#properties ??= propertiesOf(this.#raw.properties);
    return this.#properties;
  }
}

function propertiesOf(raw: ConsumeMessage['properties']): AmqpProperties {
  const expirationMs = raw.expiration === undefined ? undefined : Number(raw.expiration);
  const time = raw.timestamp === undefined ? undefined : amqpTimeOf(raw.timestamp);
  return {
    contentType: raw.contentType,
    contentEncoding: raw.contentEncoding,
    headers: raw.headers === undefined ? undefined : fromWire(raw.headers),
    deliveryMode: raw.deliveryMode === undefined ? undefined : raw.deliveryMode === 2 ? 'persistent' : 'transient',
    priority: raw.priority,
    correlationId: raw.correlationId,
    replyTo: raw.replyTo,
    expirationMs: Number.isNaN(expirationMs) ? undefined : expirationMs,
    messageId: raw.messageId,
    timestamp: time?.timestamp,
    ...(time?.wireTimestamp === undefined ? {} : { wireTimestamp: time.wireTimestamp }),
    type: raw.type,
    userId: raw.userId,
    appId: raw.appId,
  };
}
