import { AsyncSubject, type Observable, type Subscriber } from 'rxjs';
import { type ConnectError, describeError, type SinkError } from '../../core/errors.js';
import { sentence } from '../../core/sentence.js';
import { isWellFormed } from '../../core/text.js';
import type { AmqpOutgoing, AmqpPublisher, AmqpPublisherListener } from '../../ports/amqp-publisher.js';
import { blameIn, tooLarge } from './blame.js';
import { isAboutPublishing } from './broker-answer.js';
import { ChannelLife } from './channel-life.js';
import { expectExchanges } from './declaring.js';
import { strayReturn, unconfirmed, unsendable } from './errors.js';
import type { ConfirmChannel, Message } from './library.js';
import { isBeyondFrame, type MessageLimit } from './limits.js';
import type { Link } from './link.js';
import type { CheckedOptions } from './options.js';
import type { Pool } from './pool.js';
import { publishOptions } from './publish-options.js';
import { findReturned, rejected, Unconfirmed, unroutable } from './unconfirmed.js';

/** One subscription to publish: a channel in confirm mode of its own. */
export class Publishing extends ChannelLife implements AmqpPublisher {
  readonly #exchanges: readonly string[];
  readonly #listener: AmqpPublisherListener;
  readonly #subscriber: Subscriber<AmqpPublisher>;
  readonly #limit: MessageLimit;
  readonly #closeTimeoutMs: number;
  readonly #underWay = new Set<Unconfirmed>();
  readonly #closed = new AsyncSubject<undefined>();
  #channel: ConfirmChannel | undefined;
  #mostBytes = 0;
  #maxFrameBytes = 0;
  #isDrained = true;
  #isBlocked = false;
  #wasWritable = true;
  #isClosing = false;
  #closing: NodeJS.Timeout | undefined;
  #lostFor = 'the subscription has ended';

  constructor(
    pool: Pool,
    options: CheckedOptions,
    limit: MessageLimit,
    exchanges: readonly string[],
    listener: AmqpPublisherListener,
    subscriber: Subscriber<AmqpPublisher>,
  ) {
    super(pool, 'publish', 'publishing', options);
    this.#exchanges = exchanges;
    this.#listener = listener;
    this.#subscriber = subscriber;
    this.#limit = limit;
    this.#closeTimeoutMs = options.closeTimeoutMs;
  }

  override abandon(): void {
    super.abandon();
    this.#finish();
    this.#settleAll(() => unconfirmed(this.#lostFor));
  }

  publish(message: AmqpOutgoing, settled: (error: Error | null) => void): void {
    const channel = this.#channel;
    if (channel === undefined || this.isOver || this.#isClosing) {
      queueMicrotask(() => settled(unconfirmed(this.#lostFor)));
      return;
    }
    const { exchange, routingKey, content, properties } = message;
    const one = new Unconfirmed(message, settled);
    let isTaken: boolean;
    try {
      const rejection = this.#rejectionOf(message);
      if (rejection !== null) {
        queueMicrotask(() => settled(rejection));
        return;
      }
      const options = publishOptions(properties);
      isTaken = channel.publish(exchange, routingKey, bufferOf(content), options, (error: Error | null) =>
        this.#answered(one, error),
      );
    } catch (error) {
      // Nothing was written: amqplib encodes a message whole before it writes.
      const isOver = (error as Error).name === 'IllegalOperationError';
      queueMicrotask(() =>
        settled(isOver ? unconfirmed(describeError(error)) : unsendable(describeError(error), error)),
      );
      return;
    }
    this.#underWay.add(one);
    if (isTaken) return;
    this.#isDrained = false;
    this.#tell();
  }

  /** Closes once what is in flight is settled, or in `closeTimeoutMs`. */
  override close(): Observable<unknown> {
    if (!this.#isClosing && !this.isOver) {
      this.#isClosing = true;
      this.#lostFor = 'the publisher was closed';
      this.#closing = setTimeout(() => this.#closeNow(), this.#closeTimeoutMs);
      this.#closeIfSettled();
    }
    return this.#closed;
  }

  protected connected(link: Link): void {
    this.#mostBytes = this.#limit.at(link.version);
    this.#maxFrameBytes = link.maxFrameBytes;
    if (link.blockedFor !== null) this.blocked(link.blockedFor);
    this.open('confirm', (channel) => {
      channel.on('drain', () => {
        this.#isDrained = true;
        this.#tell();
      });
      channel.on('return', (message: Message) => this.#returned(message));
      expectExchanges(this, channel, this.#exchanges, () => {
        this.#channel = channel;
        this.started();
        this.#subscriber.next(this);
      });
    });
  }

  #rejectionOf({ content, properties, routingKey }: AmqpOutgoing): SinkError | null {
    if (!isWellFormed(routingKey)) return unsendable('its routing key has an unpaired surrogate');
    if (content.length > this.#mostBytes) return tooLarge(content.length, this.#mostBytes);
    if (!isBeyondFrame(properties, this.#maxFrameBytes)) return null;
    return unsendable(
      `its headers do not fit a frame of ${this.#maxFrameBytes} bytes. Remove some, or raise \`maxFrameBytes\``,
    );
  }

  #answered(one: Unconfirmed, error: Error | null): void {
    // Why the channel ended is known to `#ended`; amqplib does not know it.
    if (error?.message === 'channel closed') return;
    this.#underWay.delete(one);
    if (error !== null) one.settled(rejected(one.message, error));
    else one.settled(one.returnedFor === null ? null : unroutable(one.message, one.returnedFor));
    if (this.#isClosing) this.#closeIfSettled();
  }

  #returned(message: Message): void {
    const one = findReturned(this.#underWay, message);
    const { replyCode, replyText } = message.fields as { readonly replyCode?: number; readonly replyText?: string };
    if (one !== undefined) one.returnedFor = `${replyCode} ${replyText}`;
    else this.fail(strayReturn(this.broker));
  }

  protected blocked(reason: string | null): void {
    this.#isBlocked = reason !== null;
    this.#tell();
    if (reason === null) this.#listener.logEvent('info', 'amqp.unblocked', 'RabbitMQ accepts messages again.');
    else
      this.#listener.logEvent(
        'warn',
        'amqp.blocked',
        sentence(`RabbitMQ has blocked publishing: ${reason}`, 'Nothing is sent until the block ends.'),
      );
  }

  #tell(): void {
    const isWritable = this.#isDrained && !this.#isBlocked;
    if (isWritable === this.#wasWritable || this.isOver) return;
    this.#wasWritable = isWritable;
    this.#listener.writable(isWritable);
  }

  #closeIfSettled(): void {
    if (this.#underWay.size === 0) this.#closeNow();
  }

  #closeNow(): void {
    clearTimeout(this.#closing);
    super.close().subscribe({ complete: () => this.#finish() });
  }

  protected ended(error: ConnectError | null): void {
    this.#channel = undefined;
    if (error !== null) this.#lostFor = error.message;
    const isBlamable = error !== null && isAboutPublishing(error.cause);
    const blame = isBlamable ? blameIn(error, this.#limit) : null;
    this.#settleAll(({ message }) => blame?.(message) ?? unconfirmed(this.#lostFor));
    if (error === null) this.#subscriber.complete();
    else this.#subscriber.error(error);
    if (!this.#isClosing) this.#finish();
  }

  #settleAll(why: (one: Unconfirmed) => SinkError): void {
    const underWay = [...this.#underWay];
    this.#underWay.clear();
    for (const one of underWay) one.settled(why(one));
  }

  #finish(): void {
    clearTimeout(this.#closing);
    this.#closed.next(undefined);
    this.#closed.complete();
  }
}

function bufferOf(content: Uint8Array): Buffer {
  return Buffer.isBuffer(content) ? content : Buffer.from(content.buffer, content.byteOffset, content.byteLength);
}
