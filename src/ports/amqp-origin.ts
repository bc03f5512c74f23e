import type { Origin } from '../delivery/delivery.js';
import type { AmqpProperties } from './amqp-consumer.js';

/** Where a message of RabbitMQ comes from. `key` is the routing key, `headers` the message's headers as bytes. */
export interface AmqpOrigin extends Origin {
  readonly queue: string;
  readonly exchange: string;
  readonly routingKey: string;
  /** With the headers as they are. */
  readonly properties: AmqpProperties;
  /** Whether the broker delivered it before; then it may have been processed. */
  readonly isRedelivered: boolean;
}

/** Whether a delivery is of RabbitMQ, so that its origin has a routing key and properties. */
export function isAmqpOrigin(origin: Origin): origin is AmqpOrigin {
  return origin.stream.startsWith('amqp:') && 'routingKey' in origin;
}
