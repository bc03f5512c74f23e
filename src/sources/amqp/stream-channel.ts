import { Delivery } from '../../delivery/delivery.js';
import type { ResumePoint } from '../../offsets/commit-horizon.js';
import { OffsetTracker, type OffsetTrackerListener } from '../../offsets/offset-tracker.js';
import type { AgeHistograms } from '../../offsets/time-index.js';
import type { AmqpConsumer, AmqpMessage } from '../../ports/amqp-consumer.js';
import { type AckOptions, Acks } from './acks.js';
import { MessageOrigin } from './message-origin.js';
import { MessageTimes } from './message-times.js';

/** What the channel of a stream tells the reader it belongs to. */
export interface StreamChannelListener extends OffsetTrackerListener {
  nacked(channel: StreamChannel, offset: number, cause: unknown): void;
  /** So many are newly released, however that came about. */
  freed(count: number): void;
}

export interface StreamChannelFacts {
  readonly stream: string;
  readonly queue: string;
  readonly epoch: number;
  /** The offset that was asked for; undefined where the broker decides where to begin. */
  readonly start: number | undefined;
  /** See `Beginning`. */
  readonly wasEmpty: boolean;
  /** What a ledger said about it, where the source asked one. */
  readonly resumePoint: ResumePoint | undefined;
  readonly prefetch: number;
  readonly ack: Required<AckOptions>;
  readonly ages: AgeHistograms;
}

/**
 * The acker of all messages of one channel to a stream. It acks to the broker what is released, not what is acked: in a stream an ack
 * moves nothing but the credit for more messages, so what is released makes room in memory, while what is acked is for the
 * ledger, or the next channel, to know.
 *
 * Bounds: `prefetch` messages unreleased; a bit for each from the watermark on.
 */
export class StreamChannel extends OffsetTracker {
  /** Whether the stream is known to reach up to where this channel begins. */
  isReached = false;
  readonly #facts: StreamChannelFacts;
  readonly #credit: Acks;
  readonly #listener: StreamChannelListener;
  readonly #times: MessageTimes;
  /** Messages before the one that was asked for; they come first, and have no sequence number. */
  #before = 0;
  #arrived = 0;
  #count = 0;
  #bytes = 0;

  constructor(facts: StreamChannelFacts, listener: StreamChannelListener) {
    super(facts.start ?? -1, facts.resumePoint, listener);
    this.#facts = facts;
    this.#credit = new Acks(facts.ack, facts.prefetch);
    this.#listener = listener;
    this.#times = new MessageTimes(facts.ages);
  }

  get stream(): string {
    return this.#facts.stream;
  }

  /** The offset that was asked for. */
  get start(): number | undefined {
    return this.#facts.start;
  }

  /** Whether its first message may have any offset: it was looked up where to begin, and the stream held nothing. */
  get wasEmpty(): boolean {
    return this.#facts.wasEmpty && this.#facts.start === 0;
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

  /** Where to read on: the first offset that is not acked; undefined where nothing is known. */
  get position(): number | undefined {
    const { offset } = this.watermark;
    return offset < 0 ? undefined : offset;
  }

  get oldestTime(): number | undefined {
    return this.isOver ? undefined : this.#times.oldestTime;
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
    const seq = this.add(offset, message.content.length);
    this.#arrived += 1;
    this.#count += 1;
    this.#bytes += message.content.length;
    this.#times.arrived(seq, message);
    return new Delivery(message.content, new MessageOrigin(this.#facts, offset, message), this, seq);
  }

  /** Lets the broker bring no more than it has credit for. */
  holdBack(isHeldBack: boolean): void {
    this.#credit.holdBack(isHeldBack);
  }

  flush(): void {
    this.#credit.flush();
  }

  /** Ends the epoch: later acks and nacks are stale, and holders are notified. */
  override end(): void {
    if (!this.isOver) this.#credit.close();
    super.end();
  }

  protected sentAtOf(seq: number): number | undefined {
    return this.#times.sentAtOf(seq);
  }

  protected override advanced(): void {
    const { ackedEnd, count } = this.watermark;
    this.#times.settledUpTo(ackedEnd, count);
  }

  protected nacked(offset: number, cause: unknown): void {
    this.#listener.nacked(this, offset, cause);
  }

  protected freed(count: number, bytes: number, first: number, next: number): void {
    this.#count -= count;
    this.#bytes -= bytes;
    this.#listener.freed(count);
    this.#credit.ack(first + this.#before, Math.min(next, this.#arrived) + this.#before);
  }
}
