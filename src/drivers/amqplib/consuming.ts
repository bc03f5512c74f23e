import { AsyncSubject, type Observable, type Subscriber } from 'rxjs';
import type { ConnectError } from '../../core/errors.js';
import { sentence } from '../../core/sentence.js';
import type { AmqpConsumer, AmqpConsumption, AmqpListener } from '../../ports/amqp-consumer.js';
import { ChannelLife } from './channel-life.js';
import { declare } from './declaring.js';
import { cancelled } from './errors.js';
import type { Channel, ConsumeMessage, Message } from './library.js';
import type { CheckedOptions } from './options.js';
import type { Pool } from './pool.js';
import { ReceivedMessage } from './received-message.js';
import { consumerArguments, isStreamOffset, wrongOffset } from './stream-offset.js';

/** One subscription to a queue: a consumer on a channel of its own. */
export class Consuming extends ChannelLife implements AmqpConsumer {
  readonly #consumption: AmqpConsumption;
  readonly #listener: AmqpListener;
  readonly #subscriber: Subscriber<AmqpConsumer>;
  /** amqplib takes a message to ack it, and reads nothing of it but the tag: one for all saves an object an ack. */
  readonly #tagged = { fields: { deliveryTag: 0 } } as Message;
  readonly #cancelled = new AsyncSubject<undefined>();
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
    super(pool, 'consume', `queue '${consumption.queue}'`, options);
    this.#consumption = consumption;
    this.#listener = listener;
    this.#subscriber = subscriber;
  }

  override abandon(): void {
    super.abandon();
    this.#cancelled.complete();
  }

  ack(deliveryTag: number, isMultiple: boolean): void {
    if (this.isOver) return;
    this.#tagged.fields.deliveryTag = deliveryTag;
    try {
      this.#channel?.ack(this.#tagged, isMultiple);
    } catch {
      // The channel ends at this moment; why, comes by its own way.
    }
  }

  nack(deliveryTag: number, isMultiple: boolean, fate: 'requeue' | 'discard'): void {
    if (this.isOver) return;
    this.#tagged.fields.deliveryTag = deliveryTag;
    try {
      this.#channel?.nack(this.#tagged, isMultiple, fate === 'requeue');
    } catch {
      // As for an ack.
    }
  }

  cancel(): Observable<unknown> {
    if (this.#isCancelling || this.isOver) return this.#cancelled;
    this.#isCancelling = true;
    this.call(
      (answered) => this.#channel?.cancel(this.#consumerTag, answered),
      () => this.#cancelled.complete(),
    );
    return this.#cancelled;
  }

  protected connected(): void {
    const { queue, prefetch, declare: declaration, arguments: given = {} } = this.#consumption;
    if (!isStreamOffset(given['x-stream-offset'])) {
      this.fail(wrongOffset(this.about, given['x-stream-offset']));
      return;
    }
    this.open('plain', (channel) => {
      this.#channel = channel;
      const options = { noAck: false, arguments: consumerArguments(given) };
      const consume = () =>
        this.call<{ consumerTag: string }>(
          (answered) => channel.consume(queue, (message) => this.#take(message), options, answered),
          ({ consumerTag }) => this.#consumes(consumerTag),
        );
      const limit = () => this.call((answered) => channel.prefetch(prefetch, false, answered), consume);
      if (declaration === undefined) limit();
      else declare(this, channel, queue, declaration, limit);
    });
  }

  #consumes(consumerTag: string): void {
    this.#consumerTag = consumerTag;
    this.started();
    this.#subscriber.next(this);
  }

  #take(message: ConsumeMessage | null): void {
    if (this.isOver) return;
    if (message !== null) this.#listener.message(new ReceivedMessage(message));
    // What is cancelled by both at once is cancelled.
    else if (!this.#isCancelling) {
      this.fail(cancelled({ broker: this.broker, about: this.about }));
    }
  }

  protected blocked(reason: string | null): void {
    if (this.isOver) return;
    if (reason === null) this.#listener.logEvent('info', 'amqp.unblocked', 'RabbitMQ accepts messages again.');
    else
      this.#listener.logEvent(
        'warn',
        'amqp.blocked',
        sentence(`RabbitMQ accepts nothing from this connection: ${reason}`),
      );
  }

  protected ended(error: ConnectError | null): void {
    if (error === null) {
      this.#cancelled.complete();
      this.#subscriber.complete();
      return;
    }
    this.#subscriber.error(error);
    this.#cancelled.error(error);
  }
}
