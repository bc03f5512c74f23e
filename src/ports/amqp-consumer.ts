import type { Observable, ObservableInput } from 'rxjs';
import type { Origin } from '../delivery/delivery.js';
import type { Probe } from '../delivery/probe.js';

/** What an AMQP table may hold: the arguments of a queue, the headers of a message. */
export type AmqpValue =
  | string
  | number
  | boolean
  | bigint
  | Date
  | Uint8Array
  | null
  | readonly AmqpValue[]
  | AmqpTable;

export interface AmqpTable {
  readonly [name: string]: AmqpValue | undefined;
}

/** The properties of a message that AMQP 0-9-1 names, as far as they are set. */
export interface AmqpProperties {
  readonly contentType?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly headers?: AmqpTable | undefined;
  readonly deliveryMode?: 'persistent' | 'transient' | undefined;
  readonly priority?: number | undefined;
  readonly correlationId?: string | undefined;
  readonly replyTo?: string | undefined;
  /** How long it lives in a queue, in milliseconds. */
  readonly expirationMs?: number | undefined;
  readonly messageId?: string | undefined;
  /** Milliseconds since 1970; on the wire it is in seconds. Undefined where what came is no time. */
  readonly timestamp?: number | undefined;
  /** The timestamp as it came, where it was not in seconds; sent instead of `timestamp`, so that it is as it was. */
  readonly wireTimestamp?: number | undefined;
  readonly type?: string | undefined;
  readonly userId?: string | undefined;
  readonly appId?: string | undefined;
}

export type AmqpQueueKind = 'classic' | 'quorum' | 'stream';
export type AmqpExchangeKind = 'direct' | 'topic' | 'fanout' | 'headers';

/** A queue as it should be. What exists is compared with it: another kind or argument is an error, never a change. */
export interface AmqpQueueDeclaration {
  readonly kind: AmqpQueueKind;
  /** Of the broker, such as `x-max-length` or `x-dead-letter-exchange`; without `x-queue-type`. */
  readonly arguments?: AmqpTable | undefined;
  /** Exchanges to be there. */
  readonly exchanges?: readonly { readonly name: string; readonly kind: AmqpExchangeKind }[] | undefined;
  readonly bindings?: readonly AmqpBinding[] | undefined;
}

export interface AmqpBinding {
  readonly exchange: string;
  readonly routingKey: string;
  readonly arguments?: AmqpTable | undefined;
}

export interface AmqpConsumption {
  readonly queue: string;
  /** How many messages may be out unsettled; the broker sends no more. 1 to 65,535. */
  readonly prefetch: number;
  /** Declares the queue before; without it the queue must be there. */
  readonly declare?: AmqpQueueDeclaration | undefined;
  /** Of the consumer, such as `x-stream-offset` or `x-priority`. */
  readonly arguments?: AmqpTable | undefined;
}

/** One message as the broker delivered it. */
export interface AmqpMessage {
  /** Counts from 1 on its channel; meaningless on any other. */
  readonly deliveryTag: number;
  readonly isRedelivered: boolean;
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: AmqpProperties;
  readonly content: Buffer;
}

/** What the driver calls. */
export interface AmqpListener {
  /** Takes a message over; it must not block. After `cancel` a few may still come: what was sent before. */
  message(message: AmqpMessage): void;
  /** Something to log, such as a connection that the broker blocks; the driver continues by itself. */
  logEvent(level: 'info' | 'warn', what: string, message: string): void;
}

/**
 * One consumer on one channel, for as long as that channel lives: settling goes to this channel and to no other, so a
 * tag cannot reach a later one. On a channel that has ended, the verbs do nothing.
 */
export interface AmqpConsumer {
  /**
   * With `isMultiple` all unsettled up to the tag. An ack is not confirmed: one sent on a dying connection is lost silently.
   */
  ack(deliveryTag: number, isMultiple: boolean): void;
  /** Rejects: `requeue` has it redelivered, `discard` lets the broker dead-letter or drop it. */
  nack(deliveryTag: number, isMultiple: boolean, fate: 'requeue' | 'discard'): void;
  /** Cancels the consumer; emits when the broker confirms. Messages in flight can still be settled. Fails as `consume` does. */
  cancel(): ObservableInput<unknown>;
  /** Closes the channel after its acks are sent; emits when done or after a bounded time. Idempotent, never fails. */
  close(): ObservableInput<unknown>;
}

/** An AMQP 0-9-1 client library behind one verb, for consuming. */
export interface AmqpConsumerDriver {
  /** For messages, such as `amqp mq1:5672/orders`. No secret. */
  readonly name: string;
  /** Where its broker and virtual host are reached, such as `mq1:5672/orders`; by its name where this is left out. */
  readonly addresses?: readonly string[];
  /**
   * Cold: subscribing connects, declares, sets the prefetch and consumes, then emits the consumer once; unsubscribing
   * disconnects at once. Several subscriptions may share a connection, never a channel. Completes after `close`. It does
   * not reconnect. Fails once, with `ConnectError`: `RXF_AMQP_UNREACHABLE`; `RXF_AMQP_AUTH` (user, password, or no right
   * to the thing); `RXF_AMQP_MISSING` (virtual host, queue or exchange); `RXF_AMQP_MISMATCH` where what exists differs
   * from what is declared; `RXF_AMQP_LOST` when an open connection or channel has ended; `RXF_AMQP_CANCELLED` when
   * the broker ended the consumer: its queue was deleted, or its leader lost.
   */
  consume(consumption: AmqpConsumption, listener: AmqpListener): Observable<AmqpConsumer>;
  /**
   * Cold: how many messages of a queue are ready to be delivered, of a stream how many it holds; emits once, asked on a channel
   * of its own, and changes nothing. Fails as `consume` does. Left out where the library cannot say; then a backlog is not known.
   */
  countReady?(queue: string): Observable<number>;
  /** Tries the addresses of its brokers, for `rxflume doctor`. Left out where the library cannot. */
  readonly probe?: Probe;
}

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

/**
 * Whether a delivery is of RabbitMQ, so that its origin has a routing key and properties.
 *
 * ```ts
 * import { type Delivery, isAmqpOrigin } from 'rxflume';
 *
 * export function routingKeyOf({ origin }: Delivery<unknown>): string {
 *   return isAmqpOrigin(origin) ? origin.routingKey : '';
 * }
 * ```
 */
export function isAmqpOrigin(origin: Origin): origin is AmqpOrigin {
  return origin.stream.startsWith('amqp:') && 'routingKey' in origin;
}
