import { defer, Subscription, timer } from 'rxjs';
import { backoffMs } from '../../backpressure/backoff.js';
import { monotonicMs } from '../../core/clock.js';
import { ConnectError, describeError, isRetryable, RxflumeError } from '../../core/errors.js';
import type { Failure } from '../../core/monitor.js';
import { sentence } from '../../core/sentence.js';
import type { AmqpPublisher, AmqpPublisherDriver } from '../../ports/amqp-publisher.js';
import type { AmqpSinkReconnectOptions } from './options.js';

/** What publishing tells the session it publishes for. */
export interface PublishesFor {
  /** Messages may be published now. */
  ready(): void;
  /** The channel is over; what was not confirmed on it nobody knows of. */
  lost(error: unknown): void;
  /** No channel could be had, so often, or for good: what waits is refused. */
  down(error: unknown): void;
  logEvent(level: 'info' | 'warn', what: string, message: string): void;
  report(failure: Failure): void;
}

/** Keeps a channel to publish on: one after the other, with a growing wait between those that fail. */
export class Publishing {
  readonly #driver: AmqpPublisherDriver;
  readonly #exchanges: readonly string[];
  readonly #options: Required<AmqpSinkReconnectOptions>;
  readonly #session: PublishesFor;
  /** The channel, or the wait before the next. */
  #life = new Subscription();
  #publisher: AmqpPublisher | undefined;
  #isWritable = true;
  /** In a row, without a confirm between them. */
  #failures = 0;
  #openedAt = Number.POSITIVE_INFINITY;
  #isClosing = false;

  constructor(
    driver: AmqpPublisherDriver,
    exchange: string,
    options: Required<AmqpSinkReconnectOptions>,
    session: PublishesFor,
  ) {
    this.#driver = driver;
    this.#exchanges = exchange === '' ? [] : [exchange];
    this.#options = options;
    this.#session = session;
  }

  /** The channel, while it stands and takes messages. */
  get writable(): AmqpPublisher | undefined {
    return this.#isWritable ? this.#publisher : undefined;
  }

  start(): void {
    const life = new Subscription();
    this.#life = life;
    this.#isWritable = true;
    const listener = {
      writable: (isWritable: boolean) => {
        if (life.closed) return;
        this.#isWritable = isWritable;
        if (isWritable) this.#session.ready();
      },
      logEvent: (level: 'info' | 'warn', what: string, message: string) => this.#session.logEvent(level, what, message),
    };
    life.add(
      defer(() => this.#driver.open(this.#exchanges, listener)).subscribe({
        next: (publisher) => {
          this.#publisher = publisher;
          this.#openedAt = monotonicMs();
          this.#session.ready();
        },
        error: (error: unknown) => this.#ended(life, error),
        complete: () => this.#ended(life, closedError(this.#driver.name)),
      }),
    );
  }

  /** Something was confirmed: what went wrong before is over. */
  progressed(): void {
    this.#failures = 0;
  }

  /** Gives the channel up, as if it had ended with this. */
  broken(error: unknown): void {
    this.#ended(this.#life, error);
  }

  /** The channel to close in order; none is opened after it. */
  closing(): AmqpPublisher | undefined {
    this.#isClosing = true;
    return this.#publisher;
  }

  end(): void {
    this.#isClosing = true;
    this.#publisher = undefined;
    this.#life.unsubscribe();
  }

  #ended(life: Subscription, error: unknown): void {
    if (life.closed || life !== this.#life) return;
    life.unsubscribe();
    this.#publisher = undefined;
    if (this.#isClosing) return;
    if (monotonicMs() - this.#openedAt >= this.#options.maxDelayMs) this.#failures = 0;
    this.#openedAt = Number.POSITIVE_INFINITY;
    this.#failures += 1;
    const delayMs = backoffMs(this.#failures, this.#options);
    this.#life = timer(delayMs).subscribe(() => this.start());
    const what = error instanceof RxflumeError ? error.code : 'RXF_AMQP_LOST';
    const next = `Tried again in ${Math.round(delayMs)} ms.`;
    const { name } = this.#driver;
    this.#session.report({ what, about: name, message: sentence(describeError(error), next), cause: error });
    this.#session.lost(error);
    if (this.#failures >= this.#options.maxAttempts || !isRetryable(error)) this.#session.down(error);
  }
}

function closedError(driver: string): ConnectError {
  return new ConnectError('RXF_AMQP_LOST', `${driver} closed the channel by itself.`);
}
