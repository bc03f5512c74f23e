import { map, type Observable, Subscription, switchMap, timer } from 'rxjs';
import { FlushRequester } from '../../backpressure/flush-requester.js';
import { SourceError } from '../../core/errors.js';
import type { RecordPosition, StreamPositions } from '../../core/flow-sources.js';
import type { FlushSignal } from '../../delivery/acker.js';
import { NackCounter } from '../../offsets/nack-counter.js';
import { redeliverAfterMs } from '../../offsets/nack-policy.js';
import type { StreamPosition } from '../../offsets/no-progress.js';
import type { AmqpConsumer, AmqpConsumerDriver, AmqpConsumption, AmqpMessage } from '../../ports/amqp-consumer.js';
import { AmqpReader } from './amqp-reader.js';
import { firstOffset, logEnd, offsetOf, queueError } from './first-offset.js';
import type { BrokerState } from './gauges.js';
import { nackedError, reportNack } from './reader-errors.js';
import type { SessionParts } from './reader-parts.js';
import { whereToBegin } from './resuming.js';
import { StreamChannel, type StreamChannelListener } from './stream-channel.js';
import type { CheckedStreamOptions } from './stream-options.js';

/**
 * How long a channel may bring nothing, not even the message before the one that is to be next, before it is asked whether
 * the stream ends below that. Longer than a replica that restarts usually takes to catch up.
 */
const SILENT_AFTER_MS = 10_000;

/**
 * Reads one stream: each channel from where the ledger says, or else from the first message that is not acked. After a nack
 * it reads again from there on a new channel.
 */
export class StreamReader extends AmqpReader<StreamChannel> implements StreamChannelListener {
  readonly #options: CheckedStreamOptions;
  readonly #flushRequester: FlushRequester;
  readonly #nacks = new NackCounter();
  /** The first offset that was not acked when the last channel ended; before anything was read, where reading begins. */
  #position: number | undefined;
  /** What was nacked and is to be read again. */
  #nackError: SourceError | undefined;
  /** Messages that wait until it is known that none before them is missing. */
  #held: AmqpMessage[] | undefined;
  #looking = Subscription.EMPTY;

  constructor(driver: AmqpConsumerDriver, queue: string, options: CheckedStreamOptions, session: SessionParts) {
    super(driver, queue, options, session);
    this.#options = options;
    this.#flushRequester = new FlushRequester(
      () => this.#flush$,
      (signal) => this.ask(signal),
    );
  }

  override stop(): void {
    this.#held = undefined;
    super.stop();
  }

  positions(): StreamPositions {
    const { stream, channel } = this;
    if (channel === undefined || channel.watermark.readEnd < 0) return { stream };
    const { watermark, releasedOffset } = channel;
    return { stream, read: watermark.readEnd, released: releasedOffset, acked: watermark.offset };
  }

  /** The broker keeps no position: where a ledger does, its own sink commits there, and what is acked is committed. */
  locate(offset: number): RecordPosition | undefined {
    const { channel } = this;
    if (channel === undefined) return undefined;
    const position = channel.locate(offset, channel.resumeTracker === undefined ? -1 : channel.watermark.offset);
    const attempt = this.#nacks.attemptAt(channel, offset);
    return position.state === 'in flight' || attempt > 1 ? { ...position, attempt } : position;
  }

  get waiting(): SourceError | undefined {
    return this.#nackError;
  }

  protected begin(): Observable<AmqpConsumption> {
    const { queue, stream } = this;
    const { prefetch, ack, declare, consumerArguments } = this.#options;
    const found = (start: number) => {
      this.#position = start;
    };
    return whereToBegin(this.driver, this, this.#options, this.#position, found).pipe(
      map(({ resumePoint, begins, wasEmpty }) => {
        this.epoch += 1;
        const start = typeof begins === 'number' ? begins : undefined;
        const facts = {
          stream,
          queue,
          epoch: this.epoch,
          start,
          wasEmpty,
          resumePoint,
          prefetch,
          ack,
          ages: this.metrics,
        };
        this.channel = new StreamChannel(facts, this);
        this.#nackError = undefined;
        // With the message before it: a stream that was made anew would bring nothing, as one without new messages does.
        const offset = this.#isResumed(start) && start > 0 ? start - 1 : begins;
        return { queue, prefetch, declare, arguments: { ...consumerArguments, 'x-stream-offset': offset } };
      }),
    );
  }

  protected override opened(consumer: AmqpConsumer): void {
    super.opened(consumer);
    if (this.channel !== undefined) this.#lookForEnd(this.channel);
  }

  protected get whatIsRead(): string {
    return `Reading ${this.stream} from ${this.channel?.start ?? this.#options.startAt}.`;
  }

  protected received(channel: StreamChannel, message: AmqpMessage): void {
    const offset = offsetOf(message);
    if (offset === undefined) {
      this.failed(queueError(this.queue));
      return;
    }
    if (!channel.isReached && offset >= (channel.start ?? 0) - 1) {
      channel.isReached = true;
      this.#looking.unsubscribe();
    }
    if (channel.start !== undefined && offset < channel.start) {
      channel.drop();
      return;
    }
    if (this.#held !== undefined) this.#held.push(message);
    else if (this.#isBehindAGap(channel, offset)) this.#lookBeforeGap(channel, message);
    else this.emit(channel.take(message, offset));
  }

  // What a channel calls.

  acked(count: number): void {
    this.progressed(count);
  }

  nacked(channel: StreamChannel, offset: number, cause: unknown): void {
    this.metrics.nacked.add(1);
    const { attempt } = this.#nacks.add(channel, offset, cause);
    const error = nackedError(`${this.stream} offset ${offset}`, attempt, cause);
    const delayMs = redeliverAfterMs(cause, attempt, this.#options.redeliver);
    if (delayMs === null || !this.isTaking) {
      this.session.lifecycle.drain(error);
    } else {
      const fate = `is read again in ${delayMs} ms, attempt ${attempt} of ${this.#options.redeliver.maxAttempts}`;
      reportNack(this.monitor, this.stream, `${this.stream} offset ${offset} was nacked`, fate, cause);
      this.again(delayMs);
      this.#nackError = error;
    }
    this.settled();
  }

  released(): void {
    this.#flushRequester.released();
    this.look();
  }

  freed(count: number): void {
    this.metrics.released.add(count);
  }

  awaited(): void {
    this.#flushRequester.look();
  }

  // Reading.

  /** Whether it must follow what was read before; an offset that `startAt` names may have gone. */
  #isResumed(start: number | undefined): start is number {
    return start !== undefined && start !== this.#options.startAt;
  }

  /** Whether it is the first, and not the one that was to be next. */
  #isBehindAGap({ start, arrived, wasEmpty }: StreamChannel, offset: number): boolean {
    return arrived === 0 && !wasEmpty && this.#isResumed(start) && offset > start;
  }

  /** Offsets may have gaps; but where retention has removed what was to be next, it must not be passed over in silence. */
  #lookBeforeGap(channel: StreamChannel, message: AmqpMessage): void {
    const start = channel.start as number;
    this.#held = [message];
    this.#looking = firstOffset(this.driver, this.queue).subscribe({
      next: (first) => {
        if (first > start) this.failed(this.#lostError(start, first));
        else this.#takeHeld(channel);
      },
      error: (error: unknown) => this.reconnect.broken(error),
    });
  }

  /**
   * A broker takes an offset beyond the end, and then brings nothing below it: a stream that was deleted and declared again
   * would be passed over up to there. One whose messages have all expired brings nothing either, so its next one is awaited.
   */
  #lookForEnd({ start, isReached }: StreamChannel): void {
    if (isReached || !this.#isResumed(start) || start === 0) return;
    const first$ = timer(SILENT_AFTER_MS).pipe(switchMap(() => firstOffset(this.driver, this.queue)));
    this.#looking = first$.subscribe({
      next: (first) => {
        if (first < start && this.isTaking) this.failed(this.#lostError(start, first));
      },
      error: (error: unknown) => this.reconnect.broken(error),
    });
  }

  #takeHeld(channel: StreamChannel): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const message of held) {
      if (channel !== this.channel || !this.isTaking) return;
      this.emit(channel.take(message, offsetOf(message) as number));
    }
  }

  #lostError(start: number, first: number): SourceError {
    const why =
      first > start
        ? `begins at ${first}: retention removed what was before it`
        : `ends before ${start - 1}: it was deleted and declared again, so its offsets begin anew`;
    const recoveryHint = this.#options.resumeFrom?.recoveryHint?.(this.stream, first > start ? first : undefined);
    return new SourceError(
      'RXF_AMQP_DATA_LOST',
      `${this.stream} was to be read from offset ${start}, but the stream ${why}. Nothing was skipped.` +
        (recoveryHint === undefined ? '' : ` ${recoveryHint}`),
      { details: { stream: this.stream, expected: start, first } },
    );
  }

  // For the metrics.

  protected get isFull(): boolean {
    return this.#isReplayFull || this.#isOut;
  }

  protected get isServed(): boolean {
    return true;
  }

  protected get position(): StreamPosition {
    const { stream, channel } = this;
    const { readEnd: read = -1, offset: acked = -1 } = channel?.watermark ?? {};
    return { stream, read, acked, handedOver: channel?.handedOver ?? 0 };
  }

  protected askBroker(): Observable<BrokerState> | undefined {
    return logEnd(this.driver, this.queue)?.pipe(map((end) => ({ logEnd: end })));
  }

  // Asking.

  /** As many are out as the broker gives credit for. */
  get #isOut(): boolean {
    return (this.channel?.inFlight ?? 0) >= this.#options.prefetch;
  }

  get #isReplayFull(): boolean {
    return (this.channel?.watermark.span ?? 0) >= this.#options.maxUnacked;
  }

  get #flush$(): FlushSignal | null {
    const channel = this.channel;
    if (channel === undefined || !this.isTaking) return null;
    if (this.#isReplayFull) return 'settle';
    if (channel.resumeTracker?.isAwaited) return 'catchUp';
    return this.#isOut ? 'release' : null;
  }

  protected override look(): void {
    super.look();
    this.channel?.holdBack(this.#isReplayFull);
    this.#flushRequester.look();
  }

  protected override endChannel(): void {
    this.#position = this.channel?.position ?? this.#position;
    this.#looking.unsubscribe();
    this.#held = undefined;
    super.endChannel();
    this.#flushRequester.end();
  }
}
