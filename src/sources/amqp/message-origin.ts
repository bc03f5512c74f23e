import type { HeaderMap, HeaderValue } from '../../core/headers.js';
import type { AmqpMessage, AmqpOrigin, AmqpProperties, AmqpTable, AmqpValue } from '../../ports/amqp-consumer.js';

/** The origin of one message. What is seldom asked for is made when it is. */
export class MessageOrigin implements AmqpOrigin {
  readonly stream: string;
  readonly offset: number;
  readonly run: string | undefined;
  readonly epoch: number;
  readonly byteLength: number;
  readonly queue: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: AmqpProperties;
  readonly isRedelivered: boolean;

  constructor(
    of: { readonly stream: string; readonly queue: string; readonly epoch: number; readonly run?: string },
    offset: number,
    message: AmqpMessage,
  ) {
    this.stream = of.stream;
    this.queue = of.queue;
    this.epoch = of.epoch;
    this.offset = offset;
    this.run = of.run;
    this.byteLength = message.content.length;
    this.exchange = message.exchange;
    this.routingKey = message.routingKey;
    this.properties = message.properties;
    this.isRedelivered = message.isRedelivered;
  }

  get timestamp(): number | undefined {
    return this.properties.timestamp;
  }

  get key(): Uint8Array {
    return Buffer.from(this.routingKey);
  }

  get headers(): HeaderMap | undefined {
    const { headers } = this.properties;
    return headers === undefined ? undefined : headersAsBytes(headers);
  }
}

function headersAsBytes(headers: AmqpTable): HeaderMap {
  const all: Record<string, HeaderValue | readonly HeaderValue[]> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    all[name] = isList(value) && !value.some(isNested) ? value.map(bytesOf) : bytesOf(value);
  }
  return all;
}

/** Text and bytes as they are, other values as their text, tables as JSON. */
function bytesOf(value: AmqpValue): HeaderValue {
  if (value === null || value instanceof Uint8Array) return value;
  if (isNested(value)) return Buffer.from(JSON.stringify(value, jsonValue));
  return Buffer.from(value instanceof Date ? value.toISOString() : String(value));
}

function isList(value: AmqpValue): value is readonly AmqpValue[] {
  return Array.isArray(value);
}

function isNested(value: AmqpValue): boolean {
  return typeof value === 'object' && value !== null && !(value instanceof Date) && !(value instanceof Uint8Array);
}

function jsonValue(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
