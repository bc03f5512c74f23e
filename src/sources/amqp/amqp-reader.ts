import {
  catchError,
  concat,
  defer,
  EMPTY,
  from,
  type Observable,
  type Subject,
  type Subscriber,
  Subscription,
  switchMap,
  throwError,
  timer,
} from 'rxjs';
import { ConnectError, describeError, isRetryable, RxflumeError, SourceError, shortName } from '../../core/errors.js';
import type { Metric, Monitor } from '../../core/monitor.js';
import { sentence } from '../../core/sentence.js';
import type { FlushSignal } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import { type NextAttempt, Reconnect } from '../../lifecycle/reconnect.js';
import type { Settling } from '../../lifecycle/settling.js';
import type { SourceLifecycle } from '../../lifecycle/source-lifecycle.js';
import type {
  AmqpConsumer,
  AmqpConsumerDriver,
  AmqpConsumption,
  AmqpListener,
  AmqpMessage,
} from '../../ports/amqp-consumer.js';
import { type CheckedReadOptions, type ReconnectOptions, streamOf } from './options.js';

/** How often holders are asked again to settle while the reader leaves. */
const ASK_EVERY_MS = 100;

/** What the readers of one session share. */
export interface SessionParts {
  readonly out: Pick<Subscriber<Delivery<Buffer>>, 'next'>;
  /** While it runs, messages are taken. */
  readonly lifecycle: SourceLifecycle;
  readonly settling: Settling;
  /** Whether any channel was opened: only the first failure to connect ends the session. */
  hasConnected: boolean;
}

/** One channel: the acker of what it has delivered. */
interface ReaderChannel {
  readonly flush$: Subject<FlushSignal>;
  readonly unsettled: number;
  /** How many are out and not released, and their bytes. */
  readonly inFlight: number;
  readonly inFlightBytes: number;
  opened(consumer: AmqpConsumer): void;
  /** Sends all acks that are owed. */
  flush(): void;
  end(): void;
}

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
  readonly #driver: AmqpConsumerDriver;
  readonly #options: Required<ReconnectOptions>;
  readonly #leaving = new Subscription();
  #consumer: AmqpConsumer | undefined;

  constructor(driver: AmqpConsumerDriver, queue: string, options: CheckedReadOptions, session: SessionParts) {
    this.queue = queue;
    this.stream = streamOf(queue, options.name);
    this.session = session;
    this.monitor = options.monitor;
    this.#driver = driver;
    this.#options = options.reconnect;
    this.reconnect = new Reconnect({
      backoff: options.reconnect,
      connect: (isCurrent) => this.#consume(isCurrent),
      opened: (consumer) => this.opened(consumer),
      ended: (error, next) => this.#ended(error, next),
    });
    this.metrics = metricsOf(options.monitor, queue);
  }

  // What the session calls.

  start(): void {
    this.reconnect.start();
  }

  /** Takes no more, and asks for what is out again and again: a holder may have taken a value after the last time. */
  stop(): void {
    if (this.reconnect.leave() === undefined) {
      this.#lost();
      return;
    }
    // A channel that ends meanwhile says so by itself.
    const cancelled$ = defer(() => from(this.#consumer?.cancel() ?? [])).pipe(catchError(() => EMPTY));
    this.#leaving.add(cancelled$.subscribe());
    this.#leaving.add(timer(0, ASK_EVERY_MS).subscribe(() => this.ask('settle')));
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
    return concat(
      this.begin().pipe(switchMap((consumption) => this.#driver.consume(consumption, listener))),
      throwError(
        () => new ConnectError('RXF_AMQP_LOST', `${this.#driver.name} ended the consumer of ${this.queue} by itself.`),
      ),
    );
  }

  protected opened(consumer: AmqpConsumer): void {
    this.#consumer = consumer;
    this.channel?.opened(consumer);
    this.session.hasConnected = true;
    this.metrics.joined.set(1);
    this.monitor.logEvent('info', 'amqp.consuming', this.whatIsRead);
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
    this.metrics.joined.set(0);
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
    const { channel } = this;
    this.channel = undefined;
    channel?.end();
  }

  /** Looks whether the holders must be asked for something. */
  protected look(): void {
    this.metrics.inFlight.set(this.channel?.inFlight ?? 0);
    this.metrics.inFlightBytes.set(this.channel?.inFlightBytes ?? 0);
  }

  protected ask(signal: FlushSignal): void {
    this.channel?.flush$.next(signal);
  }

  protected emit(delivery: Delivery<Buffer>): void {
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
  }

  protected reportNack(what: string, fate: string, cause: unknown): void {
    this.monitor.report({
      what: 'RXF_SOURCE_NACKED',
      about: this.stream,
      message: `${what} (${describeError(cause)}) and ${fate}.`,
      addition: `${what} and ${fate}, because of ${shortName(cause)}.`,
      cause,
    });
  }
}

function metricsOf(monitor: Monitor, queue: string) {
  const metric = (name: string): Metric => monitor.metric(name, { source: 'amqp', name: queue });
  return {
    records: metric('rxflume_source_records_total'),
    bytes: metric('rxflume_source_bytes_total'),
    acked: metric('rxflume_source_acked_total'),
    nacked: metric('rxflume_source_nacked_total'),
    redelivered: metric('rxflume_source_redelivered_total'),
    requeued: metric('rxflume_source_requeued_total'),
    deadLettered: metric('rxflume_source_dead_lettered_total'),
    inFlight: metric('rxflume_source_in_flight_records'),
    inFlightBytes: metric('rxflume_source_in_flight_bytes'),
    joined: metric('rxflume_source_joined'),
    reconnects: metric('rxflume_source_reconnects_total'),
  };
}

/** Why a source of RabbitMQ stops at a nacked message, and what to do. */
export function nackedError(what: string, attempt: number, cause: unknown): SourceError {
  const tries = attempt > 1 ? ` after ${attempt} attempts` : '';
  const next = isRetryable(cause)
    ? 'It is redelivered at the next start.'
    : 'The flow stops, since a nacked message is never skipped; it is redelivered at the next start. Correct the cause, or set ' +
      'such values aside with `decode(…, { deadLetter })`, and start again.';
  return new SourceError('RXF_SOURCE_NACKED', sentence(`${what} was nacked${tries}: ${describeError(cause)}`, next), {
    cause,
    details: { attempts: attempt },
  });
}

/** What was out when the channel ended cannot be settled any more: that is no end of a drain that may look like success. */
function lostError(stream: string, count: number): SourceError {
  return new SourceError(
    'RXF_SOURCE_DRAIN_LOST',
    `The channel of ${stream} ended during the drain, with ${count} messages out that were not settled. They are redelivered, also ` +
      'those that the sink has stored meanwhile.',
    { details: { stream, count } },
  );
}
