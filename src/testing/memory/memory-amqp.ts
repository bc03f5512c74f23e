import { asyncScheduler, map, Observable, timer } from 'rxjs';
import { ConnectError } from '../../core/errors.js';
import type {
  AmqpBinding,
  AmqpConsumer,
  AmqpConsumerDriver,
  AmqpConsumption,
  AmqpExchangeKind,
  AmqpListener,
  AmqpProperties,
  AmqpQueueKind,
  AmqpTable,
} from '../../ports/amqp-consumer.js';
import type {
  AmqpOutgoing,
  AmqpPublisher,
  AmqpPublisherDriver,
  AmqpPublisherListener,
} from '../../ports/amqp-publisher.js';
import { MemoryAmqpChannel, type SeenSettlement } from './memory-amqp-channel.js';
import { MemoryAmqpPublisher, type PublishAnswer } from './memory-amqp-publisher.js';
import { type HeldMessage, propertiesOf } from './memory-amqp-queue.js';
import { MemoryAmqpStream } from './memory-amqp-stream.js';
import { type AnyQueue, MemoryAmqpTopology } from './memory-amqp-topology.js';

export interface MemoryAmqpOptions {
  /** How long connecting, and each way of a message or an answer, takes, in (virtual) milliseconds. Default 1. */
  readonly latencyMs?: number;
  /** Whether a stream begins at the chunk that has the offset asked for, so with messages before it. Default false. */
  readonly givesChunks?: boolean;
}

let made = 0;

/**
 * RabbitMQ in memory, for tests: classic and quorum queues, streams, exchanges, confirms. All its time is RxJS's, so inside
 * `TestScheduler.run` it is virtual. A queue gives to its consumers in turn.
 *
 * ```ts
 * import { amqpSource, nullSink } from 'rxflume';
 * import { MemoryAmqp } from 'rxflume/testing';
 *
 * const rabbit = new MemoryAmqp();
 * rabbit.createQueue('orders');
 * export const stored$ = amqpSource(rabbit, { queues: ['orders'] }).pipe(nullSink().write());
 * ```
 */
export class MemoryAmqp implements AmqpConsumerDriver, AmqpPublisherDriver {
  readonly name = 'amqp memory';
  /** Each is a broker of its own. */
  readonly addresses = [`memory:${made++}`];
  readonly latencyMs: number;
  /** Every settling that arrived, in order. */
  readonly settlements: SeenSettlement[] = [];
  /** Every message that a publisher sent and that arrived, in order. */
  readonly published: AmqpOutgoing[] = [];
  /** Whether nobody can connect. */
  isDown = false;
  /** Fails the next connects of consumers and publishers, one error each. */
  readonly connectErrors: ConnectError[] = [];
  /** What the broker answers to the next published messages, whatever they are; `silence`: it has it and never says so. */
  readonly answers: PublishAnswer[] = [];
  readonly #topology: MemoryAmqpTopology;
  #channels: MemoryAmqpChannel[] = [];
  readonly #publishers = new Set<MemoryAmqpPublisher>();
  readonly #waking = new Set<string>();
  #isBlocked = false;
  #consumers = 0;

  constructor(options: MemoryAmqpOptions = {}) {
    this.latencyMs = options.latencyMs ?? 1;
    this.#topology = new MemoryAmqpTopology(options.givesChunks ?? false, (queue) => this.#wake(queue));
  }

  // What a test sets up, and looks at.

  /** Declares a queue. Throws `RXF_AMQP_MISMATCH` where it is there and differs. */
  createQueue(name: string, kind: AmqpQueueKind = 'classic', args: AmqpTable = {}): void {
    this.#topology.createQueue(name, kind, args);
  }

  createExchange(name: string, kind: AmqpExchangeKind = 'direct'): void {
    this.#topology.routing.declare(name, kind);
  }

  bind(queue: string, binding: AmqpBinding): void {
    this.#topology.routing.bind(queue, binding);
  }

  unbind(queue: string, binding: AmqpBinding): void {
    this.#topology.routing.unbind(queue, binding);
  }

  /** Puts messages into a queue, at one moment; those of a stream are one chunk. */
  send(queue: string, contents: readonly (string | Uint8Array)[], properties: AmqpProperties = {}): void {
    // At one time, so that they are one chunk of a stream, also where real time passes meanwhile.
    const now = asyncScheduler.now();
    for (const content of contents) {
      this.#queue(queue);
      this.#topology.route({ exchange: '', routingKey: queue, properties, content: Buffer.from(content) }, now);
    }
  }

  /** Publishes a message from outside; false where no queue took it, or one rejected it. */
  publish(
    exchange: string,
    routingKey: string,
    content: string | Uint8Array,
    properties: AmqpProperties = {},
  ): boolean {
    return this.#topology.route({ exchange, routingKey, properties, content: Buffer.from(content) }) === 'confirmed';
  }

  /** What a queue has to give, as text; of a stream all of it. */
  ready(queue: string): string[] {
    return this.#queue(queue).ready.map(({ content }) => content.toString());
  }

  /** What a queue has to give, with properties and headers. */
  messages(queue: string): readonly HeldMessage[] {
    return this.#queue(queue).ready;
  }

  /** How many messages of a queue are out at consumers. */
  unacked(queue: string): number {
    return this.#of(queue).reduce((sum, channel) => sum + channel.unacked, 0);
  }

  /** How many consumers a queue has. */
  consumers(queue: string): number {
    return this.#of(queue).length;
  }

  // Faults.

  /** Ends every connection, as a network or a restart does. */
  cut(): void {
    const error = () => new ConnectError('RXF_AMQP_LOST', `The connection to ${this.name} has ended.`);
    for (const channel of [...this.#channels]) channel.fail(error());
    for (const publisher of [...this.#publishers]) publisher.fail(error());
  }

  /** Closes the channels of a queue's consumers, as the broker does after a mistake or a late ack. */
  closeChannels(queue: string, why = '406 PRECONDITION_FAILED, delivery acknowledgement timed out'): void {
    for (const channel of this.#of(queue)) {
      channel.fail(new ConnectError('RXF_AMQP_LOST', `The channel to ${queue} was closed: ${why}.`));
    }
  }

  /** Ends the consumers of a queue, as when its leader is lost. */
  cancelConsumers(queue: string): void {
    for (const channel of this.#of(queue)) {
      channel.fail(new ConnectError('RXF_AMQP_CANCELLED', `The broker ended the consumer of ${queue}.`));
    }
  }

  deleteQueue(queue: string): void {
    this.#topology.delete(queue);
    this.cancelConsumers(queue);
  }

  /** Open connections are dead and nobody has noticed: nothing comes, and what is settled is lost. End them with `cut`. */
  deafen(): void {
    for (const channel of this.#channels) channel.deafen();
  }

  /** Takes no more from publishers, as when memory or disk run low. */
  block(): void {
    this.#setBlocked(true);
  }

  unblock(): void {
    this.#setBlocked(false);
  }

  /** Deletes the messages of a stream below the offset, as retention does. */
  trim(stream: string, offset: number): void {
    const queue = this.#queue(stream);
    if (queue instanceof MemoryAmqpStream) queue.trim(offset);
  }

  // What sources and sinks call.

  consume(consumption: AmqpConsumption, listener: AmqpListener): Observable<AmqpConsumer> {
    return new Observable((subscriber) => {
      let channel: MemoryAmqpChannel | undefined;
      const life = timer(this.latencyMs).subscribe(() => {
        try {
          this.#connected();
          channel = this.#admit(consumption, (setting) => new MemoryAmqpChannel(setting, listener, subscriber));
        } catch (error) {
          subscriber.error(error);
          return;
        }
        subscriber.next(channel);
        this.#wake(consumption.queue);
      });
      return () => {
        life.unsubscribe();
        channel?.end();
      };
    });
  }

  countReady(queue: string): Observable<number> {
    return timer(this.latencyMs).pipe(
      map(() => {
        this.#connected();
        const found = this.#topology.queues.get(queue);
        if (found === undefined) throw missingError('queue', queue);
        return found.ready.length;
      }),
    );
  }

  open(exchanges: readonly string[], listener: AmqpPublisherListener): Observable<AmqpPublisher> {
    return new Observable((subscriber) => {
      let publisher: MemoryAmqpPublisher | undefined;
      const life = timer(this.latencyMs).subscribe(() => {
        try {
          this.#connected();
          for (const exchange of exchanges)
            if (!this.#topology.routing.has(exchange)) throw missingError('exchange', exchange);
        } catch (error) {
          subscriber.error(error);
          return;
        }
        const own = new MemoryAmqpPublisher(this, listener, subscriber, () => this.#publishers.delete(own));
        publisher = own;
        this.#publishers.add(own);
        subscriber.next(own);
        own.block(this.#isBlocked);
      });
      return () => {
        life.unsubscribe();
        publisher?.end();
      };
    });
  }

  /** @internal */
  receive(message: AmqpOutgoing): PublishAnswer {
    this.published.push(message);
    const asked = this.answers.shift();
    if (asked === 'rejected' || asked === 'unroutable') return asked;
    if (!this.#topology.routing.has(message.exchange)) {
      for (const publisher of [...this.#publishers]) publisher.fail(missingError('exchange', message.exchange));
      return 'silence';
    }
    const answer = this.#topology.route({ ...message, content: Buffer.from(message.content) });
    return asked === 'silence' ? 'silence' : answer;
  }

  #connected(): void {
    if (this.isDown) throw new ConnectError('RXF_AMQP_UNREACHABLE', `Cannot reach ${this.name}: it is down.`);
    const failure = this.connectErrors.shift();
    if (failure !== undefined) throw failure;
  }

  #admit(
    { queue: name, prefetch, declare, arguments: args }: AmqpConsumption,
    make: (setting: ConstructorParameters<typeof MemoryAmqpChannel>[0]) => MemoryAmqpChannel,
  ): MemoryAmqpChannel {
    if (declare !== undefined) this.#topology.declare(name, declare);
    const queue = this.#topology.queues.get(name);
    if (queue === undefined) throw missingError('queue', name);
    this.#consumers += 1;
    const channel: MemoryAmqpChannel = make({
      number: this.#consumers,
      queue: name,
      prefetch,
      latencyMs: this.latencyMs,
      supply: queue instanceof MemoryAmqpStream ? queue.supply(args?.['x-stream-offset']) : queue.supply(),
      properties: (message) => propertiesOf(message, queue.kind),
      seen: (settlement) => this.settlements.push(settlement),
      wake: () => this.#wake(name),
      ended: () => {
        this.#channels = this.#channels.filter((one) => one !== channel);
      },
    });
    this.#channels.push(channel);
    return channel;
  }

  #wake(queue: string): void {
    if (this.#waking.has(queue) || this.consumers(queue) === 0) return;
    this.#waking.add(queue);
    asyncScheduler.schedule(() => {
      this.#waking.delete(queue);
      this.#give(queue);
    }, this.latencyMs);
  }

  /** Gives what a queue has to its consumers in turn, up to their prefetch. */
  #give(queue: string): void {
    for (let channels = this.#of(queue); channels.length > 0; ) channels = channels.filter((one) => one.giveOne());
  }

  #of(queue: string): MemoryAmqpChannel[] {
    return this.#channels.filter((channel) => channel.queue === queue);
  }

  #setBlocked(isBlocked: boolean): void {
    this.#isBlocked = isBlocked;
    for (const publisher of this.#publishers) publisher.block(isBlocked);
  }

  #queue(name: string): AnyQueue {
    const queue = this.#topology.queues.get(name);
    if (queue === undefined) throw new Error(`MemoryAmqp: no queue ${name}; call createQueue first`);
    return queue;
  }
}

function missingError(what: 'queue' | 'exchange', name: string): ConnectError {
  return new ConnectError('RXF_AMQP_MISSING', `There is no ${what} ${name}. Create it, or declare it.`);
}
