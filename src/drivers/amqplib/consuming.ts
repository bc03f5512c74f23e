import { AsyncSubject, type Observable, type Subscriber } from 'rxjs';
import type { ConnectError } from '../../core/errors.js';
import { sentence } from '../../core/sentence.js';
import type { AmqpConsumer, AmqpConsumption, AmqpListener } from '../../ports/amqp-consumer.js';
import { ChannelLife } from './channel-life.js';
import { declare } from './declaring.js';
import { cancelled } from './errors.js';
import type { Channel, ConsumeMessage, Message } from './library.js';
import type { Link } from './link.js';
import type { CheckedOptions } from './options.js';
import type { Pool } from './pool.js';
import { ReceivedMessage } from './received-message.js';
import { consumerArguments, isStreamOffset, wrongOffset } from './stream-offset.js';

/** One subscription to a queue: a consumer on a channel of its own. */
export class Consuming implements AmqpConsumer {
  readonly #consumption: AmqpConsumption;
  readonly #listener: AmqpListener;
  readonly #subscriber: Subscriber<AmqpConsumer>;
  readonly #life: ChannelLife;
  /** amqplib takes a message to ack it, and reads nothing of it but the tag: one for all saves an object an ack. */
  readonly #tagged = { fields: { deliveryTag: 0 } } as Message;
  readonly #cancelled = new AsyncSubject<undefined>();
  #link: Link | undefined;
  #channel: Channel | undefined;
  #consumerTag = '';
  #isCancelling = false;

  constructor(
    pool: Pool,
    options: CheckedOptions,
    consumption: AmqpConsumption,
    listener: AmqpListener,
    subscriber: Subscriber<AmqpConsumer>,
  ) {
    this.#consumption = consumption;
    this.#listener = listener;
    this.#subscriber = subscriber;
    this.#life = new ChannelLife(pool, 'consume', this.#about, options, {
      connected: (link) => this.#connected(link),
      blocked: (reason) => this.#blocked(reason),
      ended: (error) => this.#ended(error),
    });
  }

  start(): void {
    this.#life.start();
  }

  abandon(): void {
    this.#life.abandon();
    this.#cancelled.complete();
  }

  ack(deliveryTag: number, isMultiple: boolean): void {
    if (this.#life.isOver) return;
    this.#tagged.fields.deliveryTag = deliveryTag;
    try {
      this.#channel?.ack(this.#tagged, isMultiple);
    } catch {
      // The channel ends at this moment; why, comes by its own way.
    }
  }

  nack(deliveryTag: number, isMultiple: boolean, fate: 'requeue' | 'discard'): void {
    if (this.#life.isOver) return;
    this.#tagged.fields.deliveryTag = deliveryTag;
    try {
      this.#channel?.nack(this.#tagged, isMultiple, fate === 'requeue');
    } catch {
      // As for an ack.
    }
  }

  cancel(): Observable<unknown> {
    if (this.#isCancelling || this.#life.isOver) return this.#cancelled;
    this.#isCancelling = true;
    this.#life.call(
      (answered) => this.#channel?.cancel(this.#consumerTag, answered),
      () => this.#cancelled.complete(),
    );
    return this.#cancelled;
  }

  close(): Observable<unknown> {
    return this.#life.close();
  }

  get #about(): string {
    return `queue '${this.#consumption.queue}'`;
  }

  #connected(link: Link): void {
    this.#link = link;
    const { queue, prefetch, declare: declaration, arguments: given = {} } = this.#consumption;
    if (!isStreamOffset(given['x-stream-offset'])) {
      this.#life.fail(wrongOffset(this.#about, given['x-stream-offset']));
      return;
    }
    this.#life.open('plain', (channel) => {
      this.#channel = channel;
      const options = { noAck: false, arguments: consumerArguments(given) };
      const consume = () =>
        this.#life.call<{ consumerTag: string }>(
          (answered) => channel.consume(queue, (message) => this.#take(message), options, answered),
          ({ consumerTag }) => this.#started(consumerTag),
        );
      const limit = () => this.#life.call((answered) => channel.prefetch(prefetch, false, answered), consume);
      if (declaration === undefined) limit();
      else declare(this.#life, channel, queue, declaration, limit);
    });
  }

  #started(consumerTag: string): void {
    this.#consumerTag = consumerTag;
    this.#life.started();
    this.#subscriber.next(this);
  }

  #take(message: ConsumeMessage | null): void {
    if (this.#life.isOver) return;
    if (message !== null) this.#listener.message(new ReceivedMessage(message));
    // What is cancelled by both at once is cancelled.
    else if (!this.#isCancelling) {
      this.#life.fail(cancelled({ broker: (this.#link as Link).broker, about: this.#about }));
    }
  }

  #blocked(reason: string | null): void {
    if (this.#life.isOver) return;
    if (reason === null) this.#listener.logEvent('info', 'amqp.unblocked', 'RabbitMQ accepts messages again.');
    else
      this.#listener.logEvent(
        'warn',
        'amqp.blocked',
        sentence(`RabbitMQ accepts nothing from this connection: ${reason}`),
      );
  }

  #ended(error: ConnectError | null): void {
    if (error === null) {
      this.#cancelled.complete();
      this.#subscriber.complete();
      return;
    }
    this.#subscriber.error(error);
    this.#cancelled.error(error);
  }
}
