import type { Place } from '../../core/place.js';
import type { AmqpConsumerDriver } from '../../ports/amqp-consumer.js';

/** What a source of RabbitMQ says it reads from. */
export function readsFrom(driver: AmqpConsumerDriver, queues: readonly string[]): Place {
  return { kind: 'RabbitMQ queue', addresses: driver.addresses ?? [driver.name], names: queues };
}
