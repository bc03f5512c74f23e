import { isDeepStrictEqual } from 'node:util';
import { SinkError } from '../../core/errors.js';
import type { AmqpOutgoing } from '../../ports/amqp-publisher.js';
import type { Message } from './library.js';
import { publishOptions } from './publish-options.js';

/** One message in flight: published, and neither confirmed nor rejected. */
export class Unconfirmed {
  readonly message: AmqpOutgoing;
  readonly settled: (error: Error | null) => void;
  /** Why the broker returned it, or null: its confirm comes after. */
  returnedFor: string | null = null;

  constructor(message: AmqpOutgoing, settled: (error: Error | null) => void) {
    this.message = message;
    this.settled = settled;
  }

  /** Whether this is what came back: same way, same bytes. */
  hasContentOf({ fields, content }: Message): boolean {
    const { message } = this;
    return (
      message.routingKey === fields.routingKey &&
      message.exchange === fields.exchange &&
      message.content.length === content.length &&
      content.equals(message.content)
    );
  }

  /** Whether it has the same properties too. Two that are equal in all cannot be distinguished, and need not be. */
  hasPropertiesOf({ properties }: Message): boolean {
    const { mandatory: _, headers, expiration, ...rest } = publishOptions(this.message.properties);
    const sent = { ...rest, headers: headers ?? {}, expiration: expiration?.toString() };
    return isDeepStrictEqual(comparable(sent), comparable(properties));
  }
}

/**
 * The message under way that the broker returned; it does not say which. It returns in the order of publishing, so of
 * those that fit it is the first.
 */
export function findReturned(underWay: Iterable<Unconfirmed>, returned: Message): Unconfirmed | undefined {
  let like: Unconfirmed | undefined;
  for (const one of underWay) {
    if (one.returnedFor !== null || !one.hasContentOf(returned)) continue;
    if (one.hasPropertiesOf(returned)) return one;
    like ??= one;
  }
  return like;
}

export function unroutable({ exchange, routingKey }: AmqpOutgoing, reason: string): SinkError {
  const through = throughOf(exchange);
  return new SinkError(
    'RXF_AMQP_UNROUTABLE',
    `RabbitMQ returned a message: ${through} has no queue for the routing key '${routingKey}' (${reason}). ` +
      'Bind a queue, or correct the routing key.',
    { details: { exchange, routingKey, reason } },
  );
}

/** What follows, another try or a dead letter, is for who gets the nack to decide and to say. */
export function rejected({ exchange, routingKey }: AmqpOutgoing, cause: Error): SinkError {
  return new SinkError(
    'RXF_AMQP_REJECTED',
    `RabbitMQ rejected a message to ${throughOf(exchange)} with the routing key '${routingKey}': a queue may be full, or its ` +
      'leader unavailable. Make room, or raise the limits of the queue.',
    { details: { exchange, routingKey }, cause },
  );
}

function throughOf(exchange: string): string {
  return exchange === '' ? 'the default exchange' : `exchange '${exchange}'`;
}

/** What the wire keeps of properties: nothing of what is not set, and no difference between numbers. */
function comparable(properties: object): unknown {
  const plain = (_: string, value: unknown) => {
    const { '!': type, value: number } = (value ?? {}) as { readonly '!'?: unknown; readonly value?: unknown };
    return type === 'long' ? Number(number) : value;
  };
  return JSON.parse(JSON.stringify(properties, plain));
}
