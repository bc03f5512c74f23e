import {
  catchError,
  concat,
  defer,
  EMPTY,
  from,
  NEVER,
  type Observable,
  Subscription,
  switchMap,
  throwError,
  timer,
} from 'rxjs';
import { ConnectError, describeError, isRetryable, RxflumeError, type SourceError } from '../../core/errors.js';
import type { RecordPosition, StreamPositions } from '../../core/flow-sources.js';
import type { Monitor } from '../../core/monitor.js';
import { sentence } from '../../core/sentence.js';
import type { FlushSignal } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import { type NextAttempt, Reconnect } from '../../lifecycle/reconnect.js';
import type {
  AmqpConsumer,
  AmqpConsumerDriver,
  AmqpConsumption,
  AmqpListener,
  AmqpMessage,
} from '../../ports/amqp-consumer.js';
import { ChannelPause } from './channel-pause.js';
import { type BrokerState, metricsOf, ReaderGauges, type ReaderState } from './gauges.js';
import { type CheckedReadOptions, type ReconnectOptions, streamOf } from './options.js';
import { lostError } from './reader-errors.js';
import type { ReaderChannel, SessionParts } from './reader-parts.js';

/** How often holders are asked again to settle while the reader leaves. */
const ASK_EVERY_MS = 100;

/** Reads one queue or stream for a session: through as many channels as it takes, one after the other. */
export abstract class AmqpReader<C extends ReaderChannel = ReaderChannel> {
  readonly queue: string;
  readonly stream: string;
  protected readonly session: SessionParts;
  protected readonly monitor: Monitor;
  protected readonly reconnect: Reconnect<AmqpConsumer>;
  protected readonly metrics: ReturnType<typeof metricsOf>;
  protected channel: C | undefined;
  protected epoch = 0;
  protected readonly pause: ChannelPause;
  protected readonly driver: AmqpConsumerDriver;
  readonly #gauges: ReaderGauges;
  /** That of the last channel, until its messages are redelivered. */
  #oldestBefore: number | undefined;
  readonly #options: Required<ReconnectOptions>;
  readonly #leaving = new Subscription();
  #consumer: AmqpConsumer | undefined;

  constructor(driver: AmqpConsumerDriver, queue: string, options: CheckedReadOptions, session: SessionParts) {
    this.queue = queue;
    this.stream = streamOf(queue, options.name);
    this.session = session;
    this.monitor = options.monitor;
    this.driver = driver;
    this.#options = options.reconnect;
    this.reconnect = new Reconnect({
      backoff: options.reconnect,
      connect: (isCurrent) => this.#consume(isCurrent),
      opened: (consumer) => this.opened(consumer),
      ended: (error, next) => this.#ended(error, next),
    });
    this.pause = new ChannelPause(session.sources, {
      isAtRest: () => this.isAtRest,
      askToSettle: () => this.ask('settle'),
      flush: () => this.channel?.flush(),
      left: () => this.again(0),
    });
    this.metrics = metricsOf(options.monitor, queue);
    this.#gauges = new ReaderGauges(
      options.monitor,
      this,
      () => this.#state(),
      () => (this.reconnect.current === undefined ? undefined : this.askBroker()),
    );
  }

  // What the session calls.

  start(): void {
    this.reconnect.start();
  }

  /** Takes no more, and asks for what is out again and again: a holder may have taken a value after the last time. */
  stop(): void {
    this.pause.end();
    if (this.reconnect.leave() === undefined) {
      this.#lost();
      return;
    }
    // A channel that ends meanwhile says so by itself.
    const cancelled$ = defer(() => from(this.#consumer?.cancel() ?? [])).pipe(catchError(() => EMPTY));
    this.#leaving.add(cancelled$.subscribe());
    this.#leaving.add(timer(0, ASK_EVERY_MS).subscribe(() => this.ask('settle')));
  }

  /** The flow was paused, or resumed. */
  pauseChanged(): void {
    this.pause.changed();
  }

  /** Has all that is out made durable now. */
  settle(): void {
    this.ask('settle');
  }

  abstract positions(): StreamPositions;

  abstract locate(offset: number): RecordPosition | undefined;

  /** Whether nothing is out that can still be settled, or waits to go back. */
  protected get isAtRest(): boolean {
    return this.isSettled;
  }

  /** Whether nothing that is out can still be settled. */
  get isSettled(): boolean {
    return this.unsettled === 0;
  }

  /** Nothing more is taken once the session leaves. */
  protected get isTaking(): boolean {
    return this.session.lifecycle.isRunning;
  }

  /** How many are out and not settled. */
  get unsettled(): number {
    return this.channel?.unsettled ?? 0;
  }

  /** What was nacked and waits to be redelivered: leaving now must not look like success. */
  abstract readonly waiting: SourceError | undefined;

  /** Sends what is owed, and leaves the broker; completes when that is done. */
  close(): Observable<unknown> {
    return defer(() => {
      this.channel?.flush();
      return from(this.#consumer?.close() ?? []);
    }).pipe(catchError(() => EMPTY));
  }

  /** Now, and for good. */
  end(): void {
    this.#leaving.unsubscribe();
    this.endChannel();
    this.reconnect.end();
    this.#gauges.end();
  }

  // Connecting.

  /** Makes the next channel, and says what to consume on it. */
  protected abstract begin(): Observable<AmqpConsumption>;

  #consume(isCurrent: () => boolean): Observable<AmqpConsumer> {
    const listener: AmqpListener = {
      message: (message) => {
        // What comes after a cancel stays unsettled, and goes back when the channel is closed.
        if (isCurrent() && this.channel !== undefined && this.isTaking) this.received(this.channel, message);
      },
      logEvent: (level, what, message) => this.monitor.logEvent(level, what, message),
    };
    const lost = () =>
      new ConnectError('RXF_AMQP_LOST', `${this.driver.name} ended the consumer of ${this.queue} by itself.`);
    return concat(
      this.pause.whilePaused,
      defer(() => this.begin()).pipe(switchMap((consumption) => this.driver.consume(consumption, listener))),
      defer(() => (this.pause.isLeaving ? NEVER : throwError(lost))),
    );
  }

  protected opened(consumer: AmqpConsumer): void {
    this.#consumer = consumer;
    this.channel?.opened(consumer);
    this.session.hasConnected = true;
    this.#gauges.isJoined = true;
    this.monitor.logEvent('info', 'amqp.consuming', this.whatIsRead);
    this.pause.opened(consumer);
  }

  /** Leaves this channel, and opens another after so long. */
  protected again(delayMs: number): void {
    this.reconnect.again(delayMs);
    this.#lost();
  }

  /** The channel has ended: whether to open another. The very first attempt is repeated by `retryConnect`. */
  #ended(error: unknown, next: NextAttempt | null): boolean {
    this.#lost();
    if (next === null) return false;
    this.metrics.reconnects.add(1);
    const { maxAttempts } = this.#options;
    const { failures, delayMs } = next;
    if (!this.session.hasConnected || !this.#mayPass(error) || failures > maxAttempts) {
      this.failed(error);
      return false;
    }
    const addition = `${this.queue} is consumed again in ${Math.round(delayMs)} ms, attempt ${failures} of ${maxAttempts}.`;
    this.monitor.report({
      what: error instanceof RxflumeError ? error.code : 'RXF_AMQP_LOST',
      about: this.queue,
      message: sentence(describeError(error), addition),
      addition,
      cause: error,
    });
    return true;
  }

  /** A queue that was there may be made anew. */
  #mayPass(error: unknown): boolean {
    const isMissing = error instanceof RxflumeError && error.code === 'RXF_AMQP_MISSING';
    return isRetryable(error) || (isMissing && this.#consumer !== undefined);
  }

  /** All that was out on the channel can no longer be settled. */
  #lost(): void {
    const { lifecycle, settling } = this.session;
    if (this.unsettled > 0 && lifecycle.isDraining) lifecycle.note(lostError(this.stream, this.unsettled));
    this.endChannel();
    this.#gauges.isJoined = false;
    this.look();
    settling.look();
  }

  protected failed(error: unknown): void {
    this.session.lifecycle.fail(error);
  }

  // What the two kinds add, and share.

  /** For the log. */
  protected abstract readonly whatIsRead: string;

  protected abstract received(channel: C, message: AmqpMessage): void;

  protected endChannel(): void {
    this.pause.lost();
    const { channel } = this;
    this.#oldestBefore = channel?.oldestTime ?? this.#oldestBefore;
    this.channel = undefined;
    channel?.end();
  }

  /** Looks whether the holders must be asked for something. */
  protected look(): void {
    this.#gauges.look();
  }

  protected ask(signal: FlushSignal): void {
    this.channel?.flush$.next(signal);
  }

  // For the metrics.

  /** Whether the broker sends nothing until something is released or settled. */
  protected abstract readonly isFull: boolean;

  protected abstract readonly position: ReaderState['position'];

  /** Whether the broker gives it messages. */
  protected abstract readonly isServed: boolean;

  /** Asks the broker how much there is; undefined where the driver cannot. */
  protected abstract askBroker(): Observable<BrokerState> | undefined;

  #state(): ReaderState {
    const { channel, isFull, isServed, position } = this;
    return {
      inFlight: channel?.inFlight ?? 0,
      inFlightBytes: channel?.inFlightBytes ?? 0,
      oldestTime: channel?.oldestTime ?? this.#oldestBefore,
      isFull,
      isServed,
      isPaused: this.pause.isPaused,
      position,
    };
  }

  /** The messages of the last channel are redelivered, to this consumer or another. */
  protected forgetOldest(): void {
    this.#oldestBefore = undefined;
  }

  protected emit(delivery: Delivery<Buffer>): void {
    this.#oldestBefore = undefined;
    this.metrics.emitted.add(1);
    this.metrics.records.add(1);
    this.metrics.bytes.add(delivery.value.length);
    this.session.out.next(delivery);
    this.look();
  }

  protected progressed(acked: number): void {
    this.metrics.acked.add(acked);
    this.reconnect.progressed();
    this.settled();
  }

  protected settled(): void {
    this.session.settling.look();
    this.look();
    this.pause.look();
  }
}
