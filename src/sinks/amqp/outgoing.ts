import { describeValue, SinkError } from '../../core/errors.js';
import { type Location, loopError, sharedName } from '../../core/location.js';
import { isWellFormed } from '../../core/text.js';
import type { Delivery } from '../../delivery/delivery.js';
import { nackErrorOfThrown } from '../../delivery/nack-errors.js';
import type { AmqpProperties } from '../../ports/amqp-consumer.js';
import type { AmqpOutgoing } from '../../ports/amqp-publisher.js';
import { isShort } from './kept-properties.js';
import type { CheckedOptions } from './options.js';

export const QUEUE = 'RabbitMQ queue';

/** Makes messages of deliveries. What a callback throws here nacks that delivery. */
export class Outgoing<T> {
  readonly #options: CheckedOptions<T>;
  readonly #addresses: readonly string[];
  readonly #avoided: readonly Location[];

  /** `avoided`: what the flow reads from. */
  constructor(options: CheckedOptions<T>, addresses: readonly string[], avoided: readonly Location[]) {
    this.#options = options;
    this.#addresses = addresses;
    this.#avoided = options.exchange === '' ? avoided : [];
  }

  of(delivery: Delivery<T>): AmqpOutgoing {
    const { exchange, properties } = this.#options;
    let step = 'routingKey';
    try {
      const key = this.#keyOf(delivery);
      step = 'properties';
      const own = { deliveryMode: 'persistent' as const, ...expectProperties(properties(delivery.value, delivery)) };
      step = 'encode';
      return { exchange, routingKey: key, properties: own, content: this.#contentOf(delivery) };
    } catch (cause) {
      throw nackErrorOfThrown(`${step} of amqpSink`, cause, delivery, 'RXF_SINK_FORMAT');
    }
  }

  #keyOf(delivery: Delivery<T>): string {
    const { routingKey } = this.#options;
    const key = typeof routingKey === 'string' ? routingKey : routingKey(delivery.value, delivery);
    if (typeof key !== 'string' || !isShort(key)) {
      throw formatError(`the routing key must be a text of at most 255 bytes, got ${describeValue(key)}`);
    }
    if (this.#avoided.length > 0) this.#expectNoLoop(key);
    return key;
  }

  #contentOf(delivery: Delivery<T>): Uint8Array {
    const { encode } = this.#options;
    const made: unknown = encode === undefined ? delivery.value : encode(delivery.value, delivery);
    if (typeof made === 'string' && !isWellFormed(made)) {
      throw formatError('its text has an unpaired surrogate, which would be sent as U+FFFD. Give `encode`');
    }
    const bytes = typeof made === 'string' ? Buffer.from(made) : made;
    if (!(bytes instanceof Uint8Array)) {
      throw formatError(`it must be bytes or a text, got ${describeValue(made)}. Give \`encode\``);
    }
    return bytes;
  }

  #expectNoLoop(queue: string): void {
    const written = { kind: QUEUE, addresses: this.#addresses, names: [queue] };
    if (this.#avoided.some((read) => sharedName(read, written) !== undefined)) throw loopError(QUEUE, queue);
  }
}

const NAMES: readonly string[] = [
  ...['contentType', 'contentEncoding', 'headers', 'deliveryMode', 'priority', 'correlationId', 'replyTo'],
  ...['expirationMs', 'messageId', 'timestamp', 'wireTimestamp', 'type', 'userId', 'appId'],
];

/** What `properties` gave, which may be anything: a promise would be a message without any. */
function expectProperties(given: unknown): AmqpProperties {
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given) && !('then' in given);
  if (!isObject) throw formatError(`\`properties\` must give an object, got ${describeValue(given)}`);
  const unknown = Object.keys(given).find((name) => !NAMES.includes(name));
  if (unknown !== undefined)
    throw formatError(`\`properties\` gave ${describeValue(unknown)}, which AMQP does not have`);
  return given;
}

function formatError(problem: string): SinkError {
  return new SinkError('RXF_SINK_FORMAT', `Cannot make a message of RabbitMQ: ${problem}.`);
}
