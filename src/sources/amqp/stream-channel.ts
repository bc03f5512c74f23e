import { Subject } from 'rxjs';
import { Delivery } from '../../core/delivery.js';
import type { Duty, Want } from '../../core/duty.js';
import { PlaceSet } from '../../core/place-set.js';
import { Reach, type TakenUp } from '../../core/reach.js';
import { Unreleased } from '../../core/unreleased.js';
import { Watermark } from '../../core/watermark.js';
import type { AmqpConsumer, AmqpMessage } from '../../ports/amqp-consumer.js';
import { type AckOptions, Acks } from './acks.js';
import { MessageOrigin } from './message-origin.js';

/** What the channel of a stream tells the reader it belongs to. */
export interface StreamChannelListener {
  acked(count: number): void;
  nacked(channel: StreamChannel, offset: number, cause: unknown): void;
  released(): void;
  /** A sink has begun to wait for what lies before its commit, or waits no more. */
  awaited(): void;
}

export interface StreamChannelFacts {
  readonly stream: string;
  readonly queue: string;
  readonly epoch: number;
  /** The offset that was asked for; undefined where the broker decides where to begin. */
  readonly start: number | undefined;
  /** What a ledger said about it, where the source asked one. */
  readonly takenUp: TakenUp | undefined;
  readonly prefetch: number;
  readonly ack: Required<AckOptions>;
}

/**
 * The duty of all messages of one channel to a stream. The broker is told of a release, not of an ack: in a stream an ack
 * moves nothing but the credit for more messages, so what is released makes room in memory, while what is acked is for the
 * ledger, or the next channel, to know.
 *
 * Bounds: `prefetch` messages unreleased; a bit for each from the watermark on.
 */
export class StreamChannel implements Duty {
  readonly wanted = new Subject<Want>();
  readonly watermark: Watermark;
  /** Present where the source takes up from a ledger. */
  readonly replay: Reach | undefined;
  readonly #facts: StreamChannelFacts;
  readonly #credit: Acks;
  readonly #listener: StreamChannelListener;
  readonly #unreleased = new Unreleased();
  readonly #nacked = new PlaceSet();
  /** Messages before the one that was asked for; they come first, and have no place. */
  #before = 0;
  #arrived = 0;
  #count = 0;
  #bytes = 0;
  #isOver = false;

  constructor(facts: StreamChannelFacts, listener: StreamChannelListener) {
    this.#facts = facts;
    this.watermark = new Watermark(facts.start ?? -1);
    this.replay =
      facts.takenUp === undefined ? undefined : new Reach(this.watermark, facts.takenUp, () => listener.awaited());
    this.#credit = new Acks(facts.ack, facts.prefetch);
    this.#listener = listener;
  }

  get stream(): string {
    return this.#facts.stream;
  }

  /** The offset that was asked for. */
  get start(): number | undefined {
    return this.#facts.start;
  }

  get arrived(): number {
    return this.#arrived;
  }

  /** How many are out and not released, and their bytes. */
  get inFlight(): number {
    return this.#count;
  }

  get inFlightBytes(): number {
    return this.#bytes;
  }

  /** How many are out and neither acked nor refused. */
  get unsettled(): number {
    return this.#isOver ? 0 : this.watermark.unacked - this.#nacked.size;
  }

  /** Where to read on: the first offset that is not acked; undefined where nothing is known. */
  get position(): number | undefined {
    const { offset } = this.watermark;
    return offset < 0 ? undefined : offset;
  }

  opened(consumer: AmqpConsumer): void {
    this.#credit.opened(consumer);
  }

  /** Gives back the credit of a message that lies before what was asked for: a stream gives whole chunks. */
  drop(): void {
    this.#before += 1;
    this.#credit.ack(this.#before - 1, this.#before);
  }

  /** A message, counted as out from here on. */
  take(message: AmqpMessage, offset: number): Delivery<Buffer> {
    const place = this.watermark.add(offset);
    this.#arrived += 1;
    this.#count += 1;
    this.#bytes += message.content.length;
    this.#unreleased.add(message.content.length);
    return new Delivery(message.content, new MessageOrigin(this.#facts, offset, message), this, place);
  }

  /** Lets the broker bring no more than it has credit for. */
  holdBack(isHeldBack: boolean): void {
    this.#credit.holdBack(isHeldBack);
  }

  ack(first: number, next: number): void {
    let fresh = 0;
    if (!this.#isOver) {
      if (this.#nacked.size === 0) fresh = this.#ackRun(first, next);
      else {
        for (let place = first; place < next; place += 1) {
          if (!this.#nacked.has(place)) fresh += this.#ackRun(place, place + 1);
        }
      }
    }
    const isFreed = this.#free(first, next);
    if (fresh > 0) this.#listener.acked(fresh);
    // Of an epoch that is over it says nothing but that there is room.
    else if (isFreed) this.#listener.released();
  }

  nack(first: number, next: number, cause: unknown): void {
    let refused = -1;
    if (!this.#isOver) {
      for (let place = first; place < next; place += 1) {
        if (this.watermark.isAcked(place) || !this.#nacked.add(place)) continue;
        if (refused < 0) refused = this.watermark.offsetOf(place);
      }
      if (refused >= 0) this.replay?.refuse(refused);
    }
    const isFreed = this.#free(first, next);
    if (refused >= 0) this.#listener.nacked(this, refused, cause);
    else if (isFreed) this.#listener.released();
  }

  release(first: number, next: number): void {
    if (this.#free(first, next)) this.#listener.released();
  }

  hold(first: number, next: number): void {
    if (!this.#isOver) this.replay?.cover(first, next);
  }

  flush(): void {
    this.#credit.flush();
  }

  /** Ends the epoch: later acks and nacks are void, and holders are told so. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#credit.close();
    this.wanted.complete();
  }

  #ackRun(first: number, next: number): number {
    this.replay?.cover(first, next);
    return this.watermark.ack(first, next);
  }

  #free(first: number, next: number): boolean {
    const freed = this.#unreleased.release(first, next);
    if (freed.count === 0) return false;
    this.#count -= freed.count;
    this.#bytes -= freed.bytes;
    this.#credit.ack(first + this.#before, Math.min(next, this.#arrived) + this.#before);
    return true;
  }
}
