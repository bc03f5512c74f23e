import { defer, type Observable, Subscription, switchMap, timer } from 'rxjs';
import { type BackoffOptions, backoffMs } from '../../backpressure/backoff.js';
import { monotonicMs } from '../../core/clock.js';
import { ConnectError, describeError, isRetryable, RxflumeError } from '../../core/errors.js';
import type { Monitor } from '../../core/monitor.js';
import { sentence } from '../../core/sentence.js';
import type {
  AmqpConsumer,
  AmqpConsumerDriver,
  AmqpConsumption,
  AmqpListener,
  AmqpMessage,
} from '../../ports/amqp-consumer.js';

/** How a channel that was lost is opened anew. */
export interface ReconnectOptions extends BackoffOptions {
  /** The most attempts in a row to open another; then the stream fails. Default 10. */
  readonly maxAttempts?: number;
}

/** What consuming needs of the reader it consumes for. */
export interface ConsumesFor {
  readonly queue: string;
  /** Whether a lost connection is one to come back to; the very first attempt is `retryConnect`'s. */
  readonly isExpected: boolean;
  /** A channel begins: what to consume on it. */
  begin(): Observable<AmqpConsumption>;
  opened(consumer: AmqpConsumer): void;
  message(message: AmqpMessage): void;
  /** The channel is over, and all that was out on it void. */
  lost(): void;
  failed(error: unknown): void;
}

/** Keeps a consumer on one queue: one channel after the other, with a growing wait between those that fail. */
export class Consuming {
  readonly #driver: AmqpConsumerDriver;
  readonly #reader: ConsumesFor;
  readonly #options: Required<ReconnectOptions>;
  readonly #monitor: Monitor;
  /** The channel, or the wait before the next. */
  #life = new Subscription();
  /** In a row. */
  #failures = 0;
  #openedAt = Number.POSITIVE_INFINITY;
  #hasOpened = false;
  #isLeaving = false;

  constructor(
    driver: AmqpConsumerDriver,
    reader: ConsumesFor,
    { reconnect, monitor }: { readonly reconnect: Required<ReconnectOptions>; readonly monitor: Monitor },
  ) {
    this.#driver = driver;
    this.#reader = reader;
    this.#options = reconnect;
    this.#monitor = monitor;
  }

  start(): void {
    const life = new Subscription();
    this.#life = life;
    this.#openedAt = Number.POSITIVE_INFINITY;
    const listener: AmqpListener = {
      message: (message) => {
        if (!life.closed) this.#reader.message(message);
      },
      logEvent: (level, what, message) => this.#monitor.logEvent(level, what, message),
    };
    life.add(
      defer(() => this.#reader.begin())
        .pipe(switchMap((consumption) => this.#driver.consume(consumption, listener)))
        .subscribe({
          next: (consumer) => {
            this.#openedAt = monotonicMs();
            this.#hasOpened = true;
            this.#reader.opened(consumer);
          },
          error: (error: unknown) => this.#ended(life, error),
          complete: () => this.#ended(life, endedError(this.#driver.name, this.#reader.queue)),
        }),
    );
  }

  /** Leaves this channel, and opens another after so long. */
  again(delayMs: number): void {
    this.#life.unsubscribe();
    this.#reader.lost();
    if (!this.#isLeaving) this.#startAfter(delayMs);
  }

  /** The channel is of no use, as if it had ended with this. */
  broken(error: unknown): void {
    this.#ended(this.#life, error);
  }

  /** Something was settled: what went wrong before is over. */
  progressed(): void {
    this.#failures = 0;
  }

  /** Opens no more channels. True where one stands. */
  leave(): boolean {
    this.#isLeaving = true;
    const stands = this.#openedAt !== Number.POSITIVE_INFINITY && !this.#life.closed;
    if (!stands) {
      this.#life.unsubscribe();
      this.#reader.lost();
    }
    return stands;
  }

  end(): void {
    this.#isLeaving = true;
    this.#life.unsubscribe();
  }

  #startAfter(delayMs: number): void {
    this.#life = timer(delayMs).subscribe(() => this.start());
    this.#openedAt = Number.POSITIVE_INFINITY;
  }

  #ended(life: Subscription, error: unknown): void {
    if (life.closed || life !== this.#life) return;
    life.unsubscribe();
    this.#reader.lost();
    if (this.#isLeaving) return;
    const { maxAttempts, maxDelayMs } = this.#options;
    if (monotonicMs() - this.#openedAt >= maxDelayMs) this.#failures = 0;
    this.#failures += 1;
    if (!this.#reader.isExpected || !this.#mayPass(error) || this.#failures > maxAttempts) {
      this.#reader.failed(error);
      return;
    }
    const delayMs = backoffMs(this.#failures, this.#options);
    const what = error instanceof RxflumeError ? error.code : 'RXF_AMQP_LOST';
    const next = `${this.#reader.queue} is consumed again in ${Math.round(delayMs)} ms, attempt ${this.#failures} of ${maxAttempts}.`;
    this.#monitor.report({
      what,
      about: this.#reader.queue,
      message: sentence(describeError(error), next),
      addition: next,
      cause: error,
    });
    this.#startAfter(delayMs);
  }

  /** A queue that was there may be made anew. */
  #mayPass(error: unknown): boolean {
    const isMissing = error instanceof RxflumeError && error.code === 'RXF_AMQP_MISSING';
    return isRetryable(error) || (isMissing && this.#hasOpened);
  }
}

function endedError(driver: string, queue: string): ConnectError {
  return new ConnectError('RXF_AMQP_LOST', `${driver} ended the consumer of ${queue} by itself.`);
}
