import type { Observable, ObservableInput } from 'rxjs';
import type { Probe } from '../delivery/probe.js';
import type { AmqpProperties } from './amqp-consumer.js';

/** One message to be published. */
export interface AmqpOutgoing {
  /** `''`: the default exchange, which routes by the queue's name. */
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: AmqpProperties;
  readonly content: Uint8Array;
}

/** What the driver calls. */
export interface AmqpPublisherListener {
  /**
   * Whether the broker and the socket take messages now, reported at each change; true is assumed at first. While it is false
   * publish nothing: the client would keep it in memory without limit.
   */
  writable(isWritable: boolean): void;
  /** Something to log; the driver continues by itself. */
  logEvent(level: 'info' | 'warn', what: string, message: string): void;
}

/** A channel in confirm mode, for as long as it lives. */
export interface AmqpPublisher {
  /**
   * Publishes as mandatory, and calls back once: with null when the broker has confirmed it, else with a `SinkError`:
   * `RXF_AMQP_UNROUTABLE` where no queue took it, `RXF_AMQP_REJECTED` if the broker rejected it, `RXF_AMQP_UNCONFIRMED` if the
   * channel closed before, so it may or may not be stored. Never calls back before it returns, and never throws: what cannot be
   * sent, such as headers beyond a frame, fails too (`RXF_SINK_FORMAT`).
   */
  publish(message: AmqpOutgoing, settled: (error: Error | null) => void): void;
  /** Closes when what is under way is settled, or after a bounded time. Idempotent, never fails. */
  close(): ObservableInput<unknown>;
}

/** An AMQP 0-9-1 client library behind one verb, for publishing. */
export interface AmqpPublisherDriver {
  /** For messages, such as `amqp mq1:5672/orders`. No secret. */
  readonly name: string;
  /** Where its broker and virtual host are reached, such as `mq1:5672/orders`; by its name where this is left out. */
  readonly addresses?: readonly string[];
  /** Cold, and fails, as `AmqpConsumerDriver.consume`. The exchanges named must be there. */
  open(exchanges: readonly string[], listener: AmqpPublisherListener): Observable<AmqpPublisher>;
  /** As of `AmqpConsumerDriver`. */
  readonly probe?: Probe;
}
