import { map, type Observable, Subscription, switchMap, timer } from 'rxjs';
import { FlushRequester } from '../../backpressure/flush-requester.js';
import { describeError, SourceError, shortName } from '../../core/errors.js';
import type { Failure } from '../../core/monitor.js';
import type { FlushSignal } from '../../delivery/acker.js';
import { NackCounter } from '../../offsets/nack-counter.js';
import { redeliverAfterMs } from '../../offsets/nack-policy.js';
import type { AmqpConsumer, AmqpConsumerDriver, AmqpConsumption, AmqpMessage } from '../../ports/amqp-consumer.js';
import { type ConsumesFor, Consuming } from './consuming.js';
import { firstOffset, offsetOf, queueError } from './first-offset.js';
import { Leaving } from './leaving.js';
import { metricsOf } from './metrics.js';
import { nackedError } from './nacked-error.js';
import { streamOf } from './options.js';
import type { Reader, ReadsFor } from './reader.js';
import { type ResumesFor, Resuming } from './resuming.js';
import { StreamChannel, type StreamChannelListener } from './stream-channel.js';
import type { CheckedStreamOptions } from './stream-options.js';

/**
 * How long a channel may bring nothing, not even the message before the one that is to be next, before it is asked whether
 * the stream ends below that. Longer than a replica that restarts usually takes to catch up.
 */
const SILENT_AFTER_MS = 10_000;

/**
 * Reads one stream: each channel from where the ledger says, or else from the first message that is not acked. After a refusal
 * it reads again from there on a new channel.
 */
export class StreamReader implements Reader, ConsumesFor, ResumesFor, StreamChannelListener {
  readonly queue: string;
  readonly stream: string;
  readonly #driver: AmqpConsumerDriver;
  readonly #options: CheckedStreamOptions;
  readonly #session: ReadsFor;
  readonly #consuming: Consuming;
  readonly #leaving: Leaving;
  readonly #flushRequester: FlushRequester;
  readonly #resuming: Resuming;
  readonly #nacks = new NackCounter();
  readonly #metrics;
  #channel: StreamChannel | undefined;
  #epoch = 0;
  /** The first offset that was not acked when the last channel ended; before anything was read, where reading begins. */
  #position: number | undefined;
  /** What was refused and is to be read again. */
  #refusal: SourceError | undefined;
  /** Messages that wait until it is known that none before them is missing. */
  #held: AmqpMessage[] | undefined;
  #looking = Subscription.EMPTY;

  constructor(driver: AmqpConsumerDriver, queue: string, options: CheckedStreamOptions, session: ReadsFor) {
    this.queue = queue;
    this.stream = streamOf(queue, options.name);
    this.#driver = driver;
    this.#options = options;
    this.#session = session;
    this.#consuming = new Consuming(driver, this, options.reconnect);
    this.#resuming = new Resuming(driver, this, options);
    this.#metrics = metricsOf(options.monitor, queue);
    const ask = (signal: FlushSignal) => this.#channel?.flush$.next(signal);
    this.#leaving = new Leaving(this.#consuming, ask);
    this.#flushRequester = new FlushRequester(() => this.#flush$, ask);
  }

  // What the session calls.

  start(): void {
    this.#consuming.start();
  }

  stop(): void {
    this.#held = undefined;
    this.#leaving.stop();
  }

  get isSettled(): boolean {
    return this.unsettled === 0;
  }

  get unsettled(): number {
    return this.#channel?.unsettled ?? 0;
  }

  get waiting(): SourceError | undefined {
    return this.#refusal;
  }

  close(): Observable<unknown> {
    return this.#leaving.close(() => this.#channel?.flush());
  }

  end(): void {
    this.#leaving.end();
    this.#endChannel();
    this.#consuming.end();
  }

  // What consuming calls.

  get isExpected(): boolean {
    return this.#session.hasConnected;
  }

  begin(): Observable<AmqpConsumption> {
    const { queue, stream } = this;
    const { prefetch, ack, declare, consumerArguments } = this.#options;
    return this.#resuming.whereToBegin(this.#position).pipe(
      map(({ resumePoint, begins }) => {
        this.#epoch += 1;
        const start = typeof begins === 'number' ? begins : undefined;
        const facts = { stream, queue, epoch: this.#epoch, start, resumePoint, prefetch, ack };
        this.#channel = new StreamChannel(facts, this);
        this.#refusal = undefined;
        // With the message before it: a stream that was made anew would bring nothing, as one without new messages does.
        const offset = this.#isResumed(start) && start > 0 ? start - 1 : begins;
        return { queue, prefetch, declare, arguments: { ...consumerArguments, 'x-stream-offset': offset } };
      }),
    );
  }

  opened(consumer: AmqpConsumer): void {
    this.#leaving.opened(consumer);
    this.#channel?.opened(consumer);
    this.#session.connected();
    this.#metrics.joined.set(1);
    const where = this.#channel?.start ?? this.#options.startAt;
    this.logEvent('info', 'amqp.consuming', `Reading ${this.stream} from ${where}.`);
    if (this.#channel !== undefined) this.#lookForEnd(this.#channel);
  }

  message(message: AmqpMessage): void {
    const channel = this.#channel;
    if (channel === undefined || !this.#session.isTaking) return;
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
    else this.#take(channel, message, offset);
  }

  /** Where the stream begins is known, and stays so. */
  startFound(start: number): void {
    this.#position = start;
  }

  lost(): void {
    if (this.unsettled > 0) this.#session.lost(this.stream, this.unsettled);
    this.#endChannel();
    this.#metrics.joined.set(0);
    this.#look();
    this.#session.settled();
  }

  failed(error: unknown): void {
    this.#session.failed(error);
  }

  logEvent(level: 'info' | 'warn', what: string, message: string): void {
    this.#session.logEvent(level, what, message);
  }

  report(failure: Failure): void {
    this.#session.report(failure);
  }

  // What a channel calls.

  acked(count: number): void {
    this.#metrics.acked.add(count);
    this.#consuming.progressed();
    this.#session.settled();
    this.#look();
  }

  nacked(channel: StreamChannel, offset: number, cause: unknown): void {
    this.#metrics.nacked.add(1);
    const { attempt } = this.#nacks.add(channel, offset, cause);
    const error = nackedError(`${this.stream} offset ${offset}`, attempt, cause);
    const delayMs = redeliverAfterMs(cause, attempt, this.#options.redeliver);
    if (delayMs === null || !this.#session.isTaking) {
      this.#session.refused(error);
    } else {
      const next = `read again in ${delayMs} ms, attempt ${attempt} of ${this.#options.redeliver.attempts}`;
      this.#session.report({
        what: 'RXF_SOURCE_NACKED',
        about: this.stream,
        message: `${this.stream} offset ${offset} was refused (${describeError(cause)}); ${next}`,
        addition: `${this.stream} is ${next}, because of ${shortName(cause)}.`,
        cause,
      });
      this.#consuming.again(delayMs);
      this.#refusal = error;
    }
    this.#session.settled();
    this.#look();
  }

  released(): void {
    this.#flushRequester.released();
    this.#look();
  }

  awaited(): void {
    this.#flushRequester.look();
  }

  // Reading.

  #take(channel: StreamChannel, message: AmqpMessage, offset: number): void {
    const delivery = channel.take(message, offset);
    this.#metrics.records.add(1);
    this.#metrics.bytes.add(message.content.length);
    this.#session.emit(delivery);
    this.#look();
  }

  /** Whether it must follow what was read before; an offset that `startAt` names may have gone. */
  #isResumed(start: number | undefined): start is number {
    return start !== undefined && start !== this.#options.startAt;
  }

  /** Whether it is the first, and not the one that was to be next. */
  #isBehindAGap({ start, arrived }: StreamChannel, offset: number): boolean {
    return arrived === 0 && this.#isResumed(start) && offset > start;
  }

  /** Offsets may have gaps; but where retention has removed what was to be next, it must not be passed over in silence. */
  #lookBeforeGap(channel: StreamChannel, message: AmqpMessage): void {
    const start = channel.start as number;
    this.#held = [message];
    this.#looking = firstOffset(this.#driver, this.queue).subscribe({
      next: (first) => {
        if (first > start) this.failed(this.#lostError(start, first));
        else this.#takeHeld(channel);
      },
      error: (error: unknown) => this.#consuming.broken(error),
    });
  }

  /**
   * A broker takes an offset beyond the end, and then brings nothing below it: a stream that was deleted and declared again
   * would be passed over up to there. One whose messages have all expired brings nothing either, so its next one is awaited.
   */
  #lookForEnd({ start, isReached }: StreamChannel): void {
    if (isReached || !this.#isResumed(start) || start === 0) return;
    const first$ = timer(SILENT_AFTER_MS).pipe(switchMap(() => firstOffset(this.#driver, this.queue)));
    this.#looking = first$.subscribe({
      next: (first) => {
        if (first < start && this.#session.isTaking) this.failed(this.#lostError(start, first));
      },
      error: (error: unknown) => this.#consuming.broken(error),
    });
  }

  #takeHeld(channel: StreamChannel): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const message of held) {
      if (channel !== this.#channel || !this.#session.isTaking) return;
      this.#take(channel, message, offsetOf(message) as number);
    }
  }

  #lostError(start: number, first: number): SourceError {
    const why =
      first > start
        ? `begins at ${first}: retention removed messages that were not read`
        : `ends before ${start - 1}: it was deleted and declared again, so its offsets begin anew`;
    const recoveryHint = this.#options.resumeFrom?.recoveryHint?.(this.stream);
    return new SourceError(
      'RXF_AMQP_DATA_LOST',
      `${this.stream} was to be read from offset ${start}, but the stream ${why}. Nothing was skipped.` +
        (recoveryHint === undefined ? '' : ` ${recoveryHint}`),
      { details: { stream: this.stream, expected: start, first } },
    );
  }

  // Asking.

  get #isReplayFull(): boolean {
    return (this.#channel?.watermark.span ?? 0) >= this.#options.maxUnacked;
  }

  get #flush$(): FlushSignal | null {
    const channel = this.#channel;
    if (channel === undefined || !this.#session.isTaking) return null;
    if (this.#isReplayFull) return 'settle';
    if (channel.resumeTracker?.isAwaited) return 'catchUp';
    return channel.inFlight >= this.#options.prefetch ? 'release' : null;
  }

  #look(): void {
    this.#metrics.inFlight.set(this.#channel?.inFlight ?? 0);
    this.#metrics.inFlightBytes.set(this.#channel?.inFlightBytes ?? 0);
    this.#channel?.holdBack(this.#isReplayFull);
    this.#flushRequester.look();
  }

  #endChannel(): void {
    const channel = this.#channel;
    this.#channel = undefined;
    this.#position = channel?.position ?? this.#position;
    this.#looking.unsubscribe();
    this.#held = undefined;
    channel?.end();
    this.#flushRequester.end();
  }
}
