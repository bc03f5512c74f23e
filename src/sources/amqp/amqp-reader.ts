import { catchError, defer, EMPTY, from, type Observable, type Subject, Subscription, timer } from 'rxjs';
import { describeError, isRetryable, SourceError, shortName } from '../../core/errors.js';
import type { Monitor } from '../../core/monitor.js';
import { sentence } from '../../core/sentence.js';
import type { FlushSignal } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { AmqpConsumer, AmqpConsumerDriver, AmqpConsumption, AmqpMessage } from '../../ports/amqp-consumer.js';
import { type ConsumesFor, Consuming } from './consuming.js';
import { type Metrics, metricsOf } from './metrics.js';
import { type CheckedReadOptions, streamOf } from './options.js';

/** How often holders are asked again to settle while the reader leaves. */
const ASK_EVERY_MS = 100;

/** What a reader needs of the session that it reads for. */
export interface ReadsFor {
  /** False once the session leaves: then nothing more is taken. */
  readonly isTaking: boolean;
  /** Whether any channel has stood: only the first failure to connect is the session's end. */
  readonly hasConnected: boolean;
  emit(delivery: Delivery<Buffer>): void;
  connected(): void;
  /** Something was settled, or can no longer be. */
  settled(): void;
  /** A channel is over, with so many out that can no longer be settled. */
  lost(stream: string, count: number): void;
  /** A nack after which nothing is tried again: leave. */
  refused(error: SourceError): void;
  /** It cannot go on. */
  failed(error: unknown): void;
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
export abstract class AmqpReader<C extends ReaderChannel = ReaderChannel> implements ConsumesFor {
  readonly queue: string;
  readonly stream: string;
  protected readonly session: ReadsFor;
  protected readonly monitor: Monitor;
  protected readonly consuming: Consuming;
  protected readonly metrics: Metrics;
  protected channel: C | undefined;
  protected epoch = 0;
  readonly #leaving = new Subscription();
  #consumer: AmqpConsumer | undefined;

  constructor(driver: AmqpConsumerDriver, queue: string, options: CheckedReadOptions, session: ReadsFor) {
    this.queue = queue;
    this.stream = streamOf(queue, options.name);
    this.session = session;
    this.monitor = options.monitor;
    this.consuming = new Consuming(driver, this, options);
    this.metrics = metricsOf(options.monitor, queue);
  }

  // What the session calls.

  start(): void {
    this.consuming.start();
  }

  /** Takes no more, and asks for what is out again and again: a holder may have taken a value after the last time. */
  stop(): void {
    if (!this.consuming.leave()) return;
    // A channel that ends meanwhile says so by itself.
    const cancelled$ = defer(() => from(this.#consumer?.cancel() ?? [])).pipe(catchError(() => EMPTY));
    this.#leaving.add(cancelled$.subscribe());
    this.#leaving.add(timer(0, ASK_EVERY_MS).subscribe(() => this.ask('settle')));
  }

  /** Whether nothing that is out can still be settled. */
  get isSettled(): boolean {
    return this.unsettled === 0;
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
    this.consuming.end();
  }

  // What consuming calls.

  get isExpected(): boolean {
    return this.session.hasConnected;
  }

  /** Makes the next channel, and says what to consume on it. */
  abstract begin(): Observable<AmqpConsumption>;

  opened(consumer: AmqpConsumer): void {
    this.#consumer = consumer;
    this.channel?.opened(consumer);
    this.session.connected();
    this.metrics.joined.set(1);
    this.monitor.logEvent('info', 'amqp.consuming', this.whatIsRead);
  }

  message(message: AmqpMessage): void {
    // What comes after a cancel stays unsettled, and goes back when the channel is closed.
    if (this.channel !== undefined && this.session.isTaking) this.received(this.channel, message);
  }

  lost(): void {
    if (this.unsettled > 0) this.session.lost(this.stream, this.unsettled);
    this.endChannel();
    this.metrics.joined.set(0);
    this.look();
    this.session.settled();
  }

  failed(error: unknown): void {
    this.session.failed(error);
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
    this.session.emit(delivery);
    this.look();
  }

  protected progressed(acked: number): void {
    this.metrics.acked.add(acked);
    this.consuming.progressed();
    this.settled();
  }

  protected settled(): void {
    this.session.settled();
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

/** Why a source of RabbitMQ stops at a refused message, and what to do. */
export function nackedError(what: string, attempt: number, cause: unknown): SourceError {
  const tries = attempt > 1 ? ` after ${attempt} attempts` : '';
  const next = isRetryable(cause)
    ? 'It is redelivered at the next start.'
    : 'The flow stops, since a refused message is never skipped; it is redelivered at the next start. Correct the cause, or set ' +
      'such values aside with `decode(…, { deadLetter })`, and start again.';
  return new SourceError('RXF_SOURCE_NACKED', sentence(`${what} was refused${tries}: ${describeError(cause)}`, next), {
    cause,
    details: { attempts: attempt },
  });
}
