import type { Location } from '../../core/location.js';
import type { AmqpConsumerDriver } from '../../ports/amqp-consumer.js';

/** What a source of RabbitMQ says it reads from. */
export function readsFrom(driver: AmqpConsumerDriver, queues: readonly string[]): Location {
  return { kind: 'RabbitMQ queue', addresses: driver.addresses ?? [driver.name], names: queues };
}
