import { catchError, concat, EMPTY, type Observable, type Subscription, throwError, timer } from 'rxjs';
import { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { ConnectError, describeError, isRetryable, RxflumeError, SinkError } from '../../core/errors.js';
import { Gauges } from '../../core/gauges.js';
import { Queue } from '../../core/queue.js';
import { sentence } from '../../core/sentence.js';
import { AckGroup } from '../../delivery/ack-group.js';
import type { FlushSignal } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import { FlushListeners } from '../../delivery/flush-listeners.js';
import { isStopped, nackErrorOf, staleError, stoppedError } from '../../delivery/nack-errors.js';
import type { Receipt } from '../../delivery/receipt.js';
import { type Call, CallTimer } from '../../lifecycle/call-timer.js';
import { type NextAttempt, Reconnect } from '../../lifecycle/reconnect.js';
import type { SinkLifecycle, SinkSession } from '../../lifecycle/sink-lifecycle.js';
import { guarded } from '../../lifecycle/time-limit.js';
import type {
  AmqpOutgoing,
  AmqpPublisher,
  AmqpPublisherDriver,
  AmqpPublisherListener,
} from '../../ports/amqp-publisher.js';
import { Confirmed } from './confirmed.js';
import type { CheckedOptions } from './options.js';
import type { Outgoing } from './outgoing.js';

/** A message that was published, until the broker has said what became of it. */
interface Sent {
  readonly delivery: Delivery<unknown>;
  readonly bytes: number;
  /** Where it is timed. */
  readonly call: Call | undefined;
}

/**
 * One subscription of a sink to RabbitMQ: publishes in order of arrival, within bounds, and settles each delivery by what the
 * broker says of it.
 *
 * Bounds: `maxInFlight` and `maxInFlightBytes` published; what waits is unreleased, so the source's window bounds it.
 */
export class AmqpSinkSession<T> implements SinkSession<T> {
  readonly #driver: AmqpPublisherDriver;
  readonly #options: CheckedOptions<T>;
  readonly #outgoing: Outgoing<T>;
  readonly #lifecycle: SinkLifecycle;
  readonly #reconnect: Reconnect<AmqpPublisher>;
  readonly #confirmed: Confirmed;
  readonly #target: string;
  readonly #window: InFlightWindow;
  readonly #flushListeners: FlushListeners;
  readonly #metrics;
  readonly #gauges: Gauges<'rxflume_sink_in_flight_values' | 'rxflume_sink_connections'>;
  readonly #writes: CallTimer;
  readonly #waiting = new Queue<Delivery<T>>();
  readonly #underWay = new Set<Sent>();
  #isWritable = true;
  #confirms = 0;
  #watching: Subscription | undefined;
  #isPumping = false;

  constructor(
    driver: AmqpPublisherDriver,
    options: CheckedOptions<T>,
    outgoing: Outgoing<T>,
    target: string,
    lifecycle: SinkLifecycle,
  ) {
    this.#driver = driver;
    this.#options = options;
    this.#outgoing = outgoing;
    this.#lifecycle = lifecycle;
    const { maxInFlight, maxInFlightBytes, reconnect, monitor } = options;
    this.#window = new InFlightWindow({ count: maxInFlight, bytes: maxInFlightBytes });
    this.#reconnect = new Reconnect({
      backoff: reconnect,
      connect: (isCurrent) => this.#open(isCurrent),
      opened: () => this.#ready(),
      ended: (error, next) => this.#ended(error, next),
    });
    this.#target = target;
    this.#confirmed = new Confirmed(target, (receipt) => this.#emit(receipt));
    this.#flushListeners = new FlushListeners({
      asked: () => this.#confirmed.flush(),
      over: (isOver) => this.#drop(isOver),
    });
    const labels = { sink: 'amqp', to: target };
    this.#metrics = {
      values: monitor.metric('rxflume_sink_values_total', labels),
      bytes: monitor.metric('rxflume_sink_bytes_total', labels),
      failures: monitor.metric('rxflume_sink_failures_total', labels),
      reconnects: monitor.metric('rxflume_sink_reconnects_total', labels),
    };
    this.#gauges = new Gauges(monitor, labels, ['rxflume_sink_in_flight_values', 'rxflume_sink_connections']);
    this.#writes = new CallTimer(monitor, 'write', labels, () => this.#underWay.values().next().value);
    this.#reconnect.start();
  }

  get isIdle(): boolean {
    return this.#waiting.size === 0 && this.#underWay.size === 0;
  }

  take(delivery: Delivery<T>): void {
    if (!this.#flushListeners.listen(delivery)) {
      delivery.nack(staleError(delivery.origin.stream));
      return;
    }
    this.#waiting.add(delivery);
    this.#pump();
  }

  /** What waits is published as fast as the broker takes it. */
  flush(): void {}

  close(): Observable<unknown> {
    this.#confirmed.flush();
    const close = () => this.#reconnect.leave()?.close() ?? [];
    return guarded(close, this.#options.confirmTimeoutMs, () => undefined).pipe(catchError(() => EMPTY));
  }

  end(): void {
    this.#flushListeners.end();
    this.#watching?.unsubscribe();
    this.#reconnect.end();
    // What is confirmed is durable, however the sink ends.
    this.#confirmed.flush();
    const cause = stoppedError('the broker had confirmed the message');
    for (const delivery of [...this.#takeUnderWay(), ...this.#waiting.takeAll()]) delivery.nack(cause);
    this.#gauges.end();
    this.#writes.end();
  }

  // Connecting.

  #open(isCurrent: () => boolean): Observable<AmqpPublisher> {
    const { exchange, monitor } = this.#options;
    this.#isWritable = true;
    const listener: AmqpPublisherListener = {
      writable: (isWritable) => {
        if (!isCurrent()) return;
        this.#isWritable = isWritable;
        if (isWritable) this.#ready();
      },
      logEvent: (level, what, message) => monitor.logEvent(level, what, message),
    };
    return concat(
      this.#driver.open(exchange === '' ? [] : [exchange], listener),
      throwError(() => new ConnectError('RXF_AMQP_LOST', `${this.#driver.name} closed the channel by itself.`)),
    );
  }

  /** The channel, while it is open and takes messages. */
  get #publisher(): AmqpPublisher | undefined {
    return this.#isWritable ? this.#reconnect.current : undefined;
  }

  #ready(): void {
    this.#gauges.of('rxflume_sink_connections').set(1);
    this.#pump();
  }

  /** The channel has ended: what was not confirmed on it may or may not be stored. Always opens another. */
  #ended(error: unknown, next: NextAttempt | null): boolean {
    if (next === null) return false;
    this.#metrics.reconnects.add(1);
    const { failures, delayMs } = next;
    const what = error instanceof RxflumeError ? error.code : 'RXF_AMQP_LOST';
    const message = sentence(describeError(error), `Tried again in ${Math.round(delayMs)} ms.`);
    this.#options.monitor.report({ what, about: this.#driver.name, message, cause: error });
    this.#gauges.of('rxflume_sink_connections').set(0);
    this.#nack(this.#takeUnderWay(), unconfirmedError(error));
    // No channel could be had so often, or for good: what waits is nacked.
    const isDown = failures >= this.#options.reconnect.maxAttempts || !isRetryable(error);
    if (isDown) this.#nack(this.#waiting.takeAll(), error);
    this.#lifecycle.completeIfIdle();
    return true;
  }

  // Publishing.

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    for (;;) {
      const publisher = this.#publisher;
      const delivery = publisher === undefined || this.#window.isFull ? undefined : this.#waiting.take();
      if (publisher === undefined || delivery === undefined) break;
      const message = this.#messageOf(delivery);
      if (message !== undefined) this.#publish(publisher, delivery, message);
    }
    this.#isPumping = false;
    this.#gauges.of('rxflume_sink_in_flight_values').set(this.#window.count);
    this.#lifecycle.completeIfIdle();
  }

  #messageOf(delivery: Delivery<T>): AmqpOutgoing | undefined {
    try {
      return this.#outgoing.of(delivery);
    } catch (cause) {
      this.#nack([delivery], cause);
      return undefined;
    }
  }

  #publish(publisher: AmqpPublisher, delivery: Delivery<T>, message: AmqpOutgoing): void {
    const sent = { delivery, bytes: message.content.length, call: this.#timed() };
    this.#underWay.add(sent);
    this.#window.take(sent.bytes);
    const settled = (error: unknown) => {
      // Given up before, with its channel.
      if (!this.#underWay.delete(sent)) return;
      if (sent.call !== undefined) this.#writes[error === null ? 'done' : 'drop'](sent.call);
      this.#window.free(1, sent.bytes);
      this.#confirms += 1;
      if (error === null) this.#confirmed.add(delivery, sent.bytes);
      else this.#nack([delivery], error);
      this.#reconnect.progressed();
      this.#pump();
    };
    try {
      publisher.publish(message, settled);
    } catch (cause) {
      // A driver that throws at a message has not sent it.
      settled(nackErrorOf(cause, { code: 'RXF_SINK_WRITE', what: 'publish' }, delivery));
    }
    this.#watch();
  }

  /** One message at a time is timed, not each: what is published beside it takes as long. */
  #timed(): Call | undefined {
    return this.#writes.unanswered === 0 ? this.#writes.start() : undefined;
  }

  /** Together, so that a source hears of it once and not of each. */
  #nack(deliveries: readonly Delivery<unknown>[], cause: unknown): void {
    const ackGroup = AckGroup.of(deliveries);
    this.#metrics.failures.add(ackGroup.size);
    if (deliveries.length > 0 && !isStopped(cause)) {
      const what = cause instanceof RxflumeError ? cause.code : 'RXF_SINK_WRITE';
      this.#options.monitor.report({ what, about: this.#target, message: sentence(describeError(cause)), cause });
    }
    ackGroup.nack(cause);
  }

  #emit(receipt: Receipt): void {
    this.#metrics.values.add(receipt.values);
    this.#metrics.bytes.add(receipt.bytes);
    this.#lifecycle.receipt(receipt);
  }

  /** Gives up what waits of an epoch that is over: it is redelivered. */
  #drop(isOver: (flush$: Observable<FlushSignal>) => boolean): void {
    const stale = this.#waiting.takeOut(({ acker }) => isOver(acker.flush$));
    for (const delivery of stale) delivery.nack(staleError(delivery.origin.stream));
    this.#lifecycle.completeIfIdle();
  }

  /** A channel on which nothing moves any more is given up; not while the broker says that it takes nothing. */
  #watch(): void {
    if (this.#watching !== undefined) return;
    const { confirmTimeoutMs } = this.#options;
    let seen = this.#confirms;
    this.#watching = timer(confirmTimeoutMs, confirmTimeoutMs).subscribe(() => {
      if (this.#underWay.size === 0) {
        this.#watching?.unsubscribe();
        this.#watching = undefined;
      } else if (seen === this.#confirms && this.#publisher !== undefined) {
        this.#reconnect.broken(silentError(this.#underWay.size, confirmTimeoutMs));
      }
      seen = this.#confirms;
    });
  }

  #takeUnderWay(): Delivery<unknown>[] {
    const all = [...this.#underWay];
    this.#underWay.clear();
    for (const { bytes, call } of all) {
      this.#window.free(1, bytes);
      if (call !== undefined) this.#writes.drop(call);
    }
    return all.map(({ delivery }) => delivery);
  }
}

function unconfirmedError(cause: unknown): SinkError {
  return new SinkError(
    'RXF_AMQP_UNCONFIRMED',
    `The channel ended before the broker confirmed the message (${describeError(cause)}), so it may or may not be stored.`,
    { cause },
  );
}

function silentError(count: number, ms: number): ConnectError {
  return new ConnectError(
    'RXF_AMQP_LOST',
    `The broker confirmed none of ${count} messages within ${ms} ms; the channel is given up.`,
  );
}
