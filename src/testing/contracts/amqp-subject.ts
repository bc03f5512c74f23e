import type { Subscription } from 'rxjs';
import type { RxflumeError } from '../../core/errors.js';
import type {
  AmqpConsumer,
  AmqpConsumerDriver,
  AmqpConsumption,
  AmqpListener,
  AmqpMessage,
  AmqpProperties,
  AmqpQueueKind,
  AmqpTable,
  AmqpValue,
} from '../../ports/amqp-consumer.js';
import type {
  AmqpOutgoing,
  AmqpPublisher,
  AmqpPublisherDriver,
  AmqpPublisherListener,
} from '../../ports/amqp-publisher.js';
import { done, equal, freshName, sleep, until } from './checking.js';

/** A driver with the broker behind it, as the contracts need it. */
export interface AmqpSubject {
  readonly driver: AmqpConsumerDriver & AmqpPublisherDriver;
  createQueue(name: string, kind: AmqpQueueKind, args?: AmqpTable): Promise<void>;
  deleteQueue(name: string): Promise<void>;
  createExchange(name: string, kind: 'direct' | 'topic' | 'fanout' | 'headers'): Promise<void>;
  bind(queue: string, exchange: string, routingKey: string, args?: AmqpTable): Promise<void>;
  /** Puts messages into a queue, and waits until they are there. */
  send(queue: string, contents: readonly string[], properties?: AmqpProperties): Promise<void>;
  /** How many messages a queue has that are out at no consumer. */
  ready(queue: string): Promise<number>;
  /** Ends every connection of the driver. */
  cut(): Promise<void>;
}

export interface AmqpCheck {
  readonly name: string;
  run(subject: AmqpSubject): Promise<void>;
}

/** How long nothing may come where nothing is to come. */
const QUIET_MS = 200;

/** What one subscription to a queue did: a listener that records every call. */
export class ConsumerTrace implements AmqpListener {
  readonly messages: AmqpMessage[] = [];
  readonly logEvents: string[] = [];
  consumer: AmqpConsumer | undefined;
  /** How many consumers were emitted, and how many messages had come before. */
  consumers = 0;
  early = 0;
  error: { readonly code: string; readonly retryable: boolean; readonly message: string } | undefined;
  errors = 0;
  isComplete = false;
  #connection: Subscription | undefined;

  start(driver: AmqpConsumerDriver, consumption: AmqpConsumption): this {
    this.#connection = driver.consume(consumption, this).subscribe({
      next: (consumer) => {
        this.consumer = consumer;
        this.consumers += 1;
        this.early = this.messages.length;
      },
      error: (error: unknown) => {
        this.error = error as NonNullable<typeof this.error>;
        this.errors += 1;
      },
      complete: () => {
        this.isComplete = true;
      },
    });
    return this;
  }

  message(message: AmqpMessage): void {
    this.messages.push(message);
  }

  logEvent(_level: 'info' | 'warn', what: string, message: string): void {
    this.logEvents.push(`${what} ${message}`);
  }

  get texts(): string[] {
    return this.messages.map(({ content }) => content.toString());
  }

  /** A header of each message. */
  headers(name: string, absent?: AmqpValue): unknown[] {
    return this.messages.map(({ properties }) => properties.headers?.[name] ?? absent);
  }

  get on(): AmqpConsumer {
    if (this.consumer === undefined) throw new Error('no consumer was emitted');
    return this.consumer;
  }

  ack(at: number, isMultiple = false): void {
    this.on.ack((this.messages[at] as AmqpMessage).deliveryTag, isMultiple);
  }

  nack(at: number, fate: 'requeue' | 'discard', isMultiple = false): void {
    this.on.nack((this.messages[at] as AmqpMessage).deliveryTag, isMultiple, fate);
  }

  async ready(): Promise<this> {
    await until(() => this.consumer !== undefined, 'the consumer', this);
    return this;
  }

  async received(count: number): Promise<void> {
    await until(() => this.messages.length >= count, `${count} messages, has ${this.messages.length}`, this);
  }

  async failed(): Promise<void> {
    await until(() => this.error !== undefined, 'the error');
  }

  async quiet(count: number): Promise<void> {
    await this.received(count);
    await sleep(QUIET_MS);
    equal(this.messages.length, count, 'messages');
  }

  unsubscribe(): void {
    this.#connection?.unsubscribe();
  }

  async close(): Promise<void> {
    if (this.consumer === undefined) this.unsubscribe();
    else await done(this.consumer.close());
  }
}

/** What one subscription to publish did. */
export class PublisherTrace implements AmqpPublisherListener {
  readonly logEvents: string[] = [];
  readonly writables: boolean[] = [];
  publisher: AmqpPublisher | undefined;
  publishers = 0;
  error: { readonly code: string; readonly retryable: boolean; readonly message: string } | undefined;
  isComplete = false;
  #connection: Subscription | undefined;

  start(driver: AmqpPublisherDriver, exchanges: readonly string[] = []): this {
    this.#connection = driver.open(exchanges, this).subscribe({
      next: (publisher) => {
        this.publisher = publisher;
        this.publishers += 1;
      },
      error: (error: unknown) => {
        this.error = error as NonNullable<typeof this.error>;
      },
      complete: () => {
        this.isComplete = true;
      },
    });
    return this;
  }

  writable(isWritable: boolean): void {
    this.writables.push(isWritable);
  }

  logEvent(_level: 'info' | 'warn', what: string, message: string): void {
    this.logEvents.push(`${what} ${message}`);
  }

  /** Publishes, and answers with the code of the error, or null; fails where it is settled twice, or too early. */
  async publish(message: Partial<AmqpOutgoing>): Promise<string | null> {
    return (await this.settled(message))?.code ?? null;
  }

  settled(message: Partial<AmqpOutgoing>): Promise<Pick<RxflumeError, 'code' | 'message' | 'retryable'> | null> {
    return new Promise((resolve, reject) => {
      let calls = 0;
      let hasReturned = false;
      if (this.publisher === undefined) throw new Error('no publisher was emitted');
      this.publisher.publish(
        { exchange: '', routingKey: '', properties: {}, content: Buffer.from('x'), ...message },
        (error) => {
          calls += 1;
          if (!hasReturned) reject(new Error('settled before `publish` returned'));
          if (calls > 1) reject(new Error('settled twice'));
          // Long enough to be settled twice.
          setTimeout(() => resolve(error as never), 20);
        },
      );
      hasReturned = true;
    });
  }

  async ready(): Promise<this> {
    await until(() => this.publisher !== undefined, 'the publisher', this);
    return this;
  }

  async failed(): Promise<void> {
    await until(() => this.error !== undefined, 'the error');
  }

  unsubscribe(): void {
    this.#connection?.unsubscribe();
  }

  async close(): Promise<void> {
    if (this.publisher === undefined) this.unsubscribe();
    else await done(this.publisher.close());
  }
}

export interface Workshop {
  readonly subject: AmqpSubject;
  /** A queue that no check has used. */
  queue(kind?: AmqpQueueKind, args?: AmqpTable): Promise<string>;
  consume(queue: string, given?: Partial<AmqpConsumption>): ConsumerTrace;
  open(exchanges?: readonly string[]): Promise<PublisherTrace>;
}

/** A check with queues of its own; all that it opened is closed, and its queues are deleted. */
export function amqpCheck(name: string, work: (workshop: Workshop) => Promise<void>): AmqpCheck {
  return {
    name,
    run: async (subject) => {
      const queues: string[] = [];
      const traces: { close(): Promise<void>; unsubscribe(): void }[] = [];
      try {
        await work({
          subject,
          queue: async (kind = 'classic', args = {}) => {
            const queue = freshName(kind);
            queues.push(queue);
            await subject.createQueue(queue, kind, args);
            return queue;
          },
          consume: (queue, given) => {
            const trace = new ConsumerTrace().start(subject.driver, { queue, prefetch: 100, ...given });
            traces.push(trace);
            if (given?.declare !== undefined) queues.push(queue);
            return trace;
          },
          open: async (exchanges) => {
            const trace = new PublisherTrace().start(subject.driver, exchanges);
            traces.push(trace);
            return await trace.ready();
          },
        });
      } finally {
        for (const trace of traces) await trace.close();
        for (const trace of traces) trace.unsubscribe();
        for (const queue of queues) await subject.deleteQueue(queue);
      }
    },
  };
}

/** Looks again and again, since a broker counts late. */
export async function isReady(subject: AmqpSubject, queue: string, count: number): Promise<void> {
  let found = -1;
  const look = async () => {
    found = await subject.ready(queue);
    return found === count;
  };
  await until(look, `${count} messages in ${queue}`).catch((error: unknown) => {
    throw new Error(`expected ${count} messages ready in ${queue}, found ${found}`, { cause: error });
  });
}

export function numbered(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, at) => `m${from + at}`);
}

/** That a message names the thing. */
export function names(message: string | undefined, name: string): void {
  if (!message?.includes(name)) throw new Error(`expected ${name} in: ${message}`);
}
