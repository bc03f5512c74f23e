import { asyncScheduler, EMPTY, Observable, type Subscriber, Subscription } from 'rxjs';
import { ConnectError } from '../../core/errors.js';
import type { AmqpConsumer, AmqpListener, AmqpMessage, AmqpProperties } from '../../ports/amqp-consumer.js';
import type { HeldMessage, Supply } from './memory-amqp-queue.js';
import { lazy } from './memory-record-view.js';

/** One settling as the broker saw it. */
export interface SeenSettlement {
  readonly queue: string;
  /** Counts the consumers of the broker, from 1. */
  readonly channel: number;
  readonly deliveryTag: number;
  readonly isMultiple: boolean;
  readonly how: 'ack' | 'requeue' | 'discard';
  /** What it settled, as text. */
  readonly contents: readonly string[];
  /** When, by the scheduler's clock. */
  readonly at: number;
}

export interface ChannelSetting {
  readonly number: number;
  readonly queue: string;
  readonly prefetch: number;
  readonly latencyMs: number;
  readonly supply: Supply;
  /** The message's properties as this kind of queue gives them. */
  readonly properties: (message: HeldMessage) => AmqpProperties;
  readonly seen: (settlement: SeenSettlement) => void;
  /** It has room for more. */
  readonly wake: () => void;
  readonly ended: () => void;
}

/** A consumer of `MemoryAmqp` on its own channel: gives messages up to the prefetch, and takes back what it had at its end. */
export class MemoryAmqpChannel implements AmqpConsumer {
  readonly #setting: ChannelSetting;
  readonly #listener: AmqpListener;
  readonly #out: Subscriber<AmqpConsumer>;
  readonly #onTheWay = new Subscription();
  readonly #unacked = new Map<number, HeldMessage>();
  #tag = 0;
  #isCancelled = false;
  #isDeaf = false;
  #isOver = false;

  constructor(setting: ChannelSetting, listener: AmqpListener, out: Subscriber<AmqpConsumer>) {
    this.#setting = setting;
    this.#listener = listener;
    this.#out = out;
  }

  get queue(): string {
    return this.#setting.queue;
  }

  get unacked(): number {
    return this.#unacked.size;
  }

  // What a source calls.

  ack(deliveryTag: number, isMultiple: boolean): void {
    this.#settle(deliveryTag, isMultiple, 'ack');
  }

  nack(deliveryTag: number, isMultiple: boolean, fate: 'requeue' | 'discard'): void {
    this.#settle(deliveryTag, isMultiple, fate);
  }

  cancel(): Observable<unknown> {
    return this.#answer(() => {
      this.#isCancelled = true;
    });
  }

  close(): Observable<unknown> {
    if (this.#isOver) return EMPTY;
    return this.#answer(() => {
      this.end();
      this.#out.complete();
    });
  }

  // What the broker calls.

  /** Gives one, if it may and there is one. */
  giveOne(): boolean {
    const { prefetch, supply } = this.#setting;
    if (this.#isOver || this.#isCancelled || this.#isDeaf || this.#unacked.size >= prefetch) return false;
    const message = supply.take();
    if (message === undefined) return false;
    this.#tag += 1;
    this.#unacked.set(this.#tag, message);
    this.#listener.message(this.#messageOf(message, this.#tag));
    return true;
  }

  /** Nothing comes or goes any more, silently. */
  deafen(): void {
    this.#isDeaf = true;
  }

  /** Ends it; what was out goes back. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onTheWay.unsubscribe();
    const out = [...this.#unacked.values()];
    this.#unacked.clear();
    this.#setting.ended();
    this.#setting.supply.settle(out, 'requeue');
  }

  fail(error: ConnectError): void {
    if (this.#isOver) return;
    this.end();
    this.#out.error(error);
  }

  #settle(deliveryTag: number, isMultiple: boolean, how: SeenSettlement['how']): void {
    if (this.#isOver) return;
    this.#after(() => {
      if (this.#isDeaf) return;
      const isKnown = this.#unacked.has(deliveryTag);
      if (!isKnown) {
        this.fail(
          new ConnectError(
            'RXF_AMQP_LOST',
            `The channel to ${this.queue} was closed: 406 PRECONDITION_FAILED, unknown delivery tag ${deliveryTag}.`,
          ),
        );
        return;
      }
      const tags = [...this.#unacked.keys()].filter((tag) => (isMultiple ? tag <= deliveryTag : tag === deliveryTag));
      const messages = tags.map((tag) => this.#unacked.get(tag) as HeldMessage);
      for (const tag of tags) this.#unacked.delete(tag);
      const { number, queue, seen, supply, wake } = this.#setting;
      const contents = messages.map(({ content }) => content.toString());
      seen({ queue, channel: number, deliveryTag, isMultiple, how, contents, at: asyncScheduler.now() });
      supply.settle(messages, how);
      wake();
    });
  }

  #messageOf(message: HeldMessage, deliveryTag: number): AmqpMessage {
    const { exchange, routingKey, content, isRedelivered } = message;
    const properties = this.#setting.properties(message);
    return lazy<AmqpMessage>({ deliveryTag, isRedelivered, exchange, routingKey, properties, content });
  }

  #answer(work: () => void): Observable<unknown> {
    return new Observable((subscriber) => {
      if (this.#isOver) {
        subscriber.complete();
        return undefined;
      }
      this.#onTheWay.add(() => subscriber.complete());
      this.#after(() => {
        work();
        subscriber.complete();
      });
      return undefined;
    });
  }

  /** In order: what was sent before arrives before. */
  #after(work: () => void): void {
    this.#onTheWay.add(asyncScheduler.schedule(work, this.#setting.latencyMs));
  }
}
