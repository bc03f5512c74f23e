import { Subject } from 'rxjs';
import { InFlightSizes } from '../../backpressure/in-flight-sizes.js';
import type { RecordPosition } from '../../core/flow-sources.js';
import type { Acker, FlushSignal } from '../../delivery/acker.js';
import { Delivery } from '../../delivery/delivery.js';
import type { AgeHistograms } from '../../offsets/time-index.js';
import type { AmqpConsumer, AmqpMessage } from '../../ports/amqp-consumer.js';
import { type AckOptions, Acks } from './acks.js';
import { MessageOrigin } from './message-origin.js';
import { MessageTimes } from './message-times.js';

/** What a channel tells the reader it belongs to. */
export interface ChannelListener {
  acked(first: number, next: number, count: number): void;
  nacked(seqs: readonly number[], cause: unknown): void;
  released(): void;
  /** So many are newly released, however that came about. */
  freed(count: number): void;
}

export interface ChannelFacts {
  readonly stream: string;
  readonly queue: string;
  readonly epoch: number;
  /** Tells its offsets from those that another subscription counts. */
  readonly run: string;
  /** The offset of its first message: how many came before it, from when the source began. */
  readonly base: number;
  readonly prefetch: number;
  readonly ack: Required<AckOptions>;
  readonly ages: AgeHistograms;
}

/**
 * The acker of all messages of one channel to a queue: a later channel is another object, so an ack cannot reach it. A sequence number
 * is the delivery tag less one.
 *
 * Bounds: `prefetch` messages out.
 */
export class QueueChannel implements Acker {
  readonly flush$ = new Subject<FlushSignal>();
  /** Changes with everything that is settled or released. */
  progress = 0;
  readonly #facts: ChannelFacts;
  readonly #acks: Acks;
  readonly #listener: ChannelListener;
  readonly #unreleased = new InFlightSizes();
  readonly #times: MessageTimes;
  #arrived = 0;
  #count = 0;
  #bytes = 0;
  #isOver = false;

  constructor(facts: ChannelFacts, listener: ChannelListener) {
    this.#facts = facts;
    this.#acks = new Acks(facts.ack, facts.prefetch);
    this.#listener = listener;
    this.#times = new MessageTimes(facts.ages);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** How many messages it has brought. */
  get arrived(): number {
    return this.#arrived;
  }

  /** How many of the lowest sequence numbers are settled without a gap. */
  get settledEnd(): number {
    return this.#acks.end;
  }

  /** How many are out and neither acked nor nacked. */
  get unsettled(): number {
    return this.#isOver ? 0 : this.#arrived - this.#acks.settled;
  }

  /** How many are out and not released, and their bytes. */
  get inFlight(): number {
    return this.#count;
  }

  get inFlightBytes(): number {
    return this.#bytes;
  }

  get oldestTime(): number | undefined {
    return this.#isOver ? undefined : this.#times.oldestTime;
  }

  opened(consumer: AmqpConsumer): void {
    this.#acks.opened(consumer);
  }

  /** A message, counted as out from here on. */
  take(message: AmqpMessage): Delivery<Buffer> {
    const seq = this.#arrived;
    this.#arrived += 1;
    this.#count += 1;
    this.#bytes += message.content.length;
    this.#unreleased.add(message.content.length);
    this.#times.arrived(seq, message);
    return new Delivery(message.content, new MessageOrigin(this.#facts, this.#facts.base + seq, message), this, seq);
  }

  /** Where a message is; undefined for one that an earlier channel brought. */
  locate(offset: number): RecordPosition | undefined {
    const seq = offset - this.#facts.base;
    if (seq < 0) return undefined;
    if (this.#isOver || seq >= this.#arrived) return { state: 'not read' };
    if (this.#acks.isSettled(seq)) return { state: 'settled' };
    const sentAt = this.#times.sentAtOf(seq);
    return { state: 'in flight', ...(sentAt !== undefined && { sentAt }), isReleased: !this.#unreleased.has(seq) };
  }

  ack(first: number, next: number): void {
    const fresh = this.#acks.ack(first, Math.min(next, this.#arrived));
    this.progress += fresh;
    if (fresh > 0) this.#times.settledUpTo(this.settledEnd, this.#arrived);
    const isFreed = this.#free(first, next);
    if (fresh > 0) this.#listener.acked(first, next, fresh);
    else if (isFreed) this.#listener.released();
  }

  nack(first: number, next: number, cause: unknown): void {
    const seqs = this.#acks.markNacked(first, Math.min(next, this.#arrived));
    this.progress += seqs.length;
    const isFreed = this.#free(first, next);
    if (seqs.length > 0) this.#listener.nacked(seqs, cause);
    else if (isFreed) this.#listener.released();
  }

  release(first: number, next: number): void {
    if (this.#free(first, next)) this.#listener.released();
  }

  /** Nothing to note: what a queue gives cannot be read again from a ledger. */
  hold(): void {}

  /** Tells the broker what becomes of a message that was nacked. Does nothing where the channel is over. */
  tell(seq: number, fate: 'requeue' | 'discard'): void {
    this.#acks.nack(seq, fate);
    this.#times.settledUpTo(this.settledEnd, this.#arrived);
  }

  flush(): void {
    this.#acks.flush();
  }

  /** Ends the epoch: later acks and nacks are stale, and holders are notified. Releases still count. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#acks.close();
    this.flush$.complete();
  }

  #free(first: number, next: number): boolean {
    const freed = this.#unreleased.release(first, next);
    if (freed.count === 0) return false;
    this.#count -= freed.count;
    this.#bytes -= freed.bytes;
    this.progress += 1;
    this.#listener.freed(freed.count);
    return true;
  }
}
