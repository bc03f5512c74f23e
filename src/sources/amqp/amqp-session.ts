import { merge, type Observable, type Subscriber, Subscription, takeUntil, timer } from 'rxjs';
import { SourceError } from '../../core/errors.js';
import type { Delivery } from '../../delivery/delivery.js';
import { drainTimeoutError, Settling } from '../../lifecycle/settling.js';
import { type SourceEnding, SourceLifecycle } from '../../lifecycle/source-lifecycle.js';
import type { AmqpReader, ReadsFor } from './amqp-reader.js';
import type { CheckedReadOptions } from './options.js';

/** One subscription of a source of RabbitMQ: its readers, from the first connecting to the last closing. */
export class AmqpSession implements ReadsFor, SourceEnding {
  readonly #options: CheckedReadOptions;
  readonly #out: Subscriber<Delivery<Buffer>>;
  readonly #readers: readonly AmqpReader[];
  readonly #lifecycle: SourceLifecycle;
  readonly #settling = new Settling(() => this.#readers.every(({ isSettled }) => isSettled));
  #hasConnected = false;

  /** `read` makes the reader of a queue. */
  constructor(
    options: CheckedReadOptions,
    out: Subscriber<Delivery<Buffer>>,
    read: (queue: string, session: ReadsFor) => AmqpReader,
  ) {
    this.#options = options;
    this.#out = out;
    this.#lifecycle = new SourceLifecycle(out, this);
    this.#readers = options.queues.map((queue) => read(queue, this));
  }

  start(stop$: Observable<unknown>): Subscription {
    return this.#lifecycle.start(stop$, () => {
      for (const reader of this.#readers) if (this.isTaking) reader.start();
      return Subscription.EMPTY;
    });
  }

  // What a reader asks and tells.

  get isTaking(): boolean {
    return this.#lifecycle.isRunning;
  }

  get hasConnected(): boolean {
    return this.#hasConnected;
  }

  emit(delivery: Delivery<Buffer>): void {
    this.#out.next(delivery);
  }

  connected(): void {
    this.#hasConnected = true;
  }

  settled(): void {
    this.#settling.look();
  }

  nackedForGood(error: SourceError): void {
    this.#lifecycle.drain(error);
  }

  lost(stream: string, count: number): void {
    if (this.#lifecycle.isDraining) this.#lifecycle.note(lostError(stream, count));
  }

  failed(error: unknown): void {
    this.#lifecycle.fail(error);
  }

  // What the lifecycle calls.

  drain(): Observable<never>[] {
    const { drainTimeoutMs } = this.#options;
    this.#lifecycle.note(this.#readers.find(({ waiting }) => waiting !== undefined)?.waiting);
    for (const reader of this.#readers) reader.stop();
    return [this.#settling.within(drainTimeoutMs, () => lateError(this.#readers, drainTimeoutMs))];
  }

  close(): Observable<unknown> {
    const closing$ = merge(...this.#readers.map((reader) => reader.close()));
    return closing$.pipe(takeUntil(timer(this.#options.drainTimeoutMs)));
  }

  end(): void {
    for (const reader of this.#readers) reader.end();
  }
}

function lateError(readers: readonly AmqpReader[], withinMs: number): SourceError {
  const late = readers.filter(({ isSettled }) => !isSettled);
  const count = late.reduce((sum, { unsettled }) => sum + unsettled, 0);
  const what = `${count} messages of ${late.map(({ stream }) => stream).join(', ')}`;
  return drainTimeoutError(what, withinMs, 'They are redelivered.');
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
