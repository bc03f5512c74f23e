import { asyncScheduler, EMPTY, Observable, type Subscriber, Subscription } from 'rxjs';
import { type ConnectError, describeValue, SinkError } from '../../core/errors.js';
import { isWellFormed } from '../../core/text.js';
import type { AmqpOutgoing, AmqpPublisher, AmqpPublisherListener } from '../../ports/amqp-publisher.js';

/** What a broker answers to a message. */
export type PublishAnswer = 'confirmed' | 'unroutable' | 'rejected' | 'silence';

interface Sent {
  readonly message: AmqpOutgoing;
  readonly settled: (error: Error | null) => void;
  isReceived: boolean;
}

/** A publisher of `MemoryAmqp` on its own channel in confirm mode. */
export class MemoryAmqpPublisher implements AmqpPublisher {
  readonly #name: string;
  readonly #latencyMs: number;
  readonly #receive: (message: AmqpOutgoing) => PublishAnswer;
  readonly #listener: AmqpPublisherListener;
  readonly #out: Subscriber<AmqpPublisher>;
  readonly #ended: () => void;
  readonly #onTheWay = new Subscription();
  readonly #unsettled = new Set<Sent>();
  #isBlocked = false;
  #whenIdle: (() => void) | undefined;
  #isOver = false;

  constructor(
    broker: { readonly name: string; readonly latencyMs: number; receive(message: AmqpOutgoing): PublishAnswer },
    listener: AmqpPublisherListener,
    out: Subscriber<AmqpPublisher>,
    ended: () => void,
  ) {
    this.#name = broker.name;
    this.#latencyMs = broker.latencyMs;
    this.#receive = (message) => broker.receive(message);
    this.#listener = listener;
    this.#out = out;
    this.#ended = ended;
  }

  // What a sink calls.

  publish(message: AmqpOutgoing, settled: (error: Error | null) => void): void {
    const sent = { message, settled, isReceived: false };
    if (this.#isOver) {
      asyncScheduler.schedule(() => settled(unconfirmedError(this.#name)));
      return;
    }
    const problem = problemOf(message);
    if (problem !== undefined) {
      asyncScheduler.schedule(() => settled(new SinkError('RXF_SINK_FORMAT', `A message cannot be sent: ${problem}.`)));
      return;
    }
    this.#unsettled.add(sent);
    this.#after(() => this.#arrive(sent));
  }

  close(): Observable<unknown> {
    if (this.#isOver) return EMPTY;
    return new Observable((subscriber) => {
      const done = () => {
        this.end();
        this.#out.complete();
        subscriber.complete();
      };
      this.#onTheWay.add(() => subscriber.complete());
      this.#whenIdle = () => this.#after(done);
      this.#lookWhetherIdle();
    });
  }

  // What the broker calls.

  block(isBlocked: boolean): void {
    if (this.#isOver || isBlocked === this.#isBlocked) return;
    this.#isBlocked = isBlocked;
    this.#listener.writable(!isBlocked);
    if (isBlocked) return;
    // What came meanwhile waited in the socket.
    for (const sent of [...this.#unsettled]) if (!sent.isReceived) this.#arrive(sent);
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onTheWay.unsubscribe();
    this.#ended();
    for (const { settled } of this.#unsettled) asyncScheduler.schedule(() => settled(unconfirmedError(this.#name)));
    this.#unsettled.clear();
  }

  fail(error: ConnectError): void {
    if (this.#isOver) return;
    this.end();
    this.#out.error(error);
  }

  #arrive(sent: Sent): void {
    if (this.#isBlocked || this.#isOver || sent.isReceived) return;
    sent.isReceived = true;
    const answer = this.#receive(sent.message);
    // What was received may have ended the channel.
    if (this.#isOver || answer === 'silence') return;
    const error = answer === 'confirmed' ? null : nackedError(answer, sent.message);
    this.#after(() => {
      this.#unsettled.delete(sent);
      sent.settled(error);
      this.#lookWhetherIdle();
    });
  }

  #lookWhetherIdle(): void {
    if (this.#unsettled.size === 0) this.#whenIdle?.();
  }

  #after(work: () => void): void {
    this.#onTheWay.add(asyncScheduler.schedule(work, this.#latencyMs));
  }
}

/** What AMQP cannot carry, as a client finds it before it sends: the broker would end the channel for it. */
function problemOf({ routingKey, properties }: AmqpOutgoing): string | undefined {
  const { headers = {}, deliveryMode, timestamp = 0, priority = 0, ...others } = properties;
  const texts = Object.values({ routingKey, ...others }).filter((value) => typeof value === 'string');
  const names = Object.keys(headers);
  const long = [...texts, ...names].find((text) => Buffer.byteLength(text) > 255);
  if (long !== undefined) return `${describeValue(long)} has more than 255 bytes`;
  const inside = Object.values(headers).filter((value) => typeof value === 'string');
  const broken = [...texts, ...names, ...inside].find((text) => !isWellFormed(text));
  if (broken !== undefined) return `${describeValue(broken)} has an unpaired surrogate`;
  if (deliveryMode !== undefined && !['persistent', 'transient'].includes(deliveryMode)) return 'its deliveryMode';
  const isDate = (value: unknown): value is Date => value instanceof Date;
  const times = [timestamp, ...Object.values(headers).filter(isDate).map(Number)];
  if (!times.every((ms) => Number.isSafeInteger(ms) && ms >= 0)) return 'one of its times';
  return Number.isInteger(priority) && priority >= 0 && priority < 256 ? undefined : 'its priority';
}

function nackedError(answer: 'unroutable' | 'rejected', { exchange, routingKey }: AmqpOutgoing): SinkError {
  const to = `exchange \`${exchange}\` with routing key \`${routingKey}\``;
  if (answer === 'rejected') {
    return new SinkError('RXF_AMQP_REJECTED', `The broker rejected a message to ${to}. Its queue is full.`);
  }
  return new SinkError('RXF_AMQP_UNROUTABLE', `No queue took a message to ${to}. Bind one, or correct the key.`);
}

function unconfirmedError(name: string): SinkError {
  return new SinkError(
    'RXF_AMQP_UNCONFIRMED',
    `The channel to ${name} ended before a message was confirmed, so it may or may not be stored.`,
  );
}
