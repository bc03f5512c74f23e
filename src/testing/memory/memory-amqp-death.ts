import type { AmqpTable } from '../../ports/amqp-consumer.js';
import type { DeathReason, HeldMessage, NewMessage } from './memory-amqp-queue.js';

/** The message that the dead-letter exchange of a queue gets for one that the queue gave up; none where it has no such exchange. */
export function deadLetterOf(
  { name, arguments: args }: { readonly name: string; readonly arguments: AmqpTable },
  { exchange, routingKey, properties, content }: HeldMessage,
  reason: DeathReason,
): NewMessage | undefined {
  const to = args['x-dead-letter-exchange'];
  if (typeof to !== 'string') return undefined;
  const key = args['x-dead-letter-routing-key'];
  const before = properties.headers?.['x-death'];
  const death = { queue: name, reason, count: 1, exchange, 'routing-keys': [routingKey] };
  const headers = {
    ...properties.headers,
    'x-death': [death, ...(Array.isArray(before) ? (before as AmqpTable[]) : [])],
    'x-first-death-queue': properties.headers?.['x-first-death-queue'] ?? name,
    'x-first-death-reason': properties.headers?.['x-first-death-reason'] ?? reason,
  };
  return {
    exchange: to,
    routingKey: typeof key === 'string' ? key : routingKey,
    properties: { ...properties, headers },
    content,
  };
}
