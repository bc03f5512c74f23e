import { type Subscription, timer } from 'rxjs';
import type { AmqpConsumer } from '../../ports/amqp-consumer.js';
import { Acking } from './acking.js';

/** When acks are sent: whichever comes first. */
export interface AckOptions {
  /** When so many are owed; a quarter of the prefetch where that is less. Default 500. */
  readonly count?: number;
  /** So long after the first that is owed, in milliseconds. Default 10. */
  readonly intervalMs?: number;
}

/**
 * Sends what `Acking` says on the channel that the messages came on, gathered for a short time. One object a channel: after
 * its end nothing is sent, so that no tag reaches another channel.
 */
export class Acks {
  readonly #acking = new Acking();
  readonly #count: number;
  readonly #intervalMs: number;
  #consumer: AmqpConsumer | undefined;
  #waiting: Subscription | undefined;
  #isHeldBack = false;
  #isOver = false;

  constructor({ count, intervalMs }: Required<AckOptions>, prefetch: number) {
    this.#count = Math.max(1, Math.min(count, Math.floor(prefetch / 4)));
    this.#intervalMs = intervalMs;
  }

  /** How many sequence numbers from the lowest on are settled without a gap. */
  get end(): number {
    return this.#acking.end;
  }

  /** How many are settled. */
  get settled(): number {
    return this.#acking.settled;
  }

  isSettled(seq: number): boolean {
    return this.#acking.isSettled(seq);
  }

  /** The channel is open; it may have brought messages before this. */
  opened(consumer: AmqpConsumer): void {
    this.#consumer = consumer;
    this.#look();
  }

  ack(first: number, next: number): number {
    if (this.#isOver) return 0;
    const fresh = this.#acking.ack(first, next);
    if (fresh > 0) this.#look();
    return fresh;
  }

  markNacked(first: number, next: number): readonly number[] {
    return this.#isOver ? [] : this.#acking.markNacked(first, next);
  }

  /** Tells the broker of a nack. */
  nack(seq: number, fate: 'requeue' | 'discard'): void {
    if (this.#isOver || this.#consumer === undefined || !this.#acking.reported(seq)) return;
    this.#consumer.nack(seq + 1, false, fate);
  }

  /** Sends nothing for now, so that the broker brings nothing. */
  holdBack(isHeldBack: boolean): void {
    this.#isHeldBack = isHeldBack;
    if (!isHeldBack) this.#look();
  }

  /** Sends all that is owed. */
  flush(): void {
    this.#waiting?.unsubscribe();
    this.#waiting = undefined;
    if (this.#isOver || this.#isHeldBack || this.#consumer === undefined) return;
    for (const { deliveryTag, isMultiple } of this.#acking.take()) this.#consumer.ack(deliveryTag, isMultiple);
  }

  /** The channel is over: what is owed is stale. */
  close(): void {
    this.#isOver = true;
    this.#waiting?.unsubscribe();
  }

  #look(): void {
    const { owed } = this.#acking;
    if (owed >= this.#count) this.flush();
    else if (owed > 0) this.#waiting ??= timer(this.#intervalMs).subscribe(() => this.flush());
  }
}
