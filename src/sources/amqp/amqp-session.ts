import {
  concat,
  defer,
  ignoreElements,
  merge,
  Observable,
  type Subscriber,
  Subscription,
  take,
  takeUntil,
  timer,
} from 'rxjs';
import { SourceError } from '../../core/errors.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { AmqpReader, ReadsFor } from './amqp-reader.js';
import type { CheckedReadOptions } from './options.js';

type Stage = 'running' | 'draining' | 'closing' | 'over';

/** One subscription of a source of RabbitMQ: its readers, from the first connecting to the last closing. */
export class AmqpSession implements ReadsFor {
  readonly #options: CheckedReadOptions;
  readonly #out: Subscriber<Delivery<Buffer>>;
  readonly #readers: readonly AmqpReader[];
  readonly #timers = new Subscription();
  #stage: Stage = 'running';
  #hasConnected = false;
  #whenSettled: (() => void) | undefined;
  #leaveError: unknown;

  /** `read` makes the reader of a queue. */
  constructor(
    options: CheckedReadOptions,
    out: Subscriber<Delivery<Buffer>>,
    read: (queue: string, session: ReadsFor) => AmqpReader,
  ) {
    this.#options = options;
    this.#out = out;
    this.#readers = options.queues.map((queue) => read(queue, this));
  }

  start(stop$: Observable<unknown>): Subscription {
    this.#timers.add(
      stop$.pipe(take(1)).subscribe({
        next: () => this.#leave(undefined),
        error: (error: unknown) => this.failed(error),
      }),
    );
    this.#timers.add(() => this.#end());
    for (const reader of this.#readers) if (this.isTaking) reader.start();
    return this.#timers;
  }

  // What a reader asks and tells.

  get isTaking(): boolean {
    return this.#stage === 'running';
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
    if (this.#readers.every(({ isSettled }) => isSettled)) this.#whenSettled?.();
  }

  refused(error: SourceError): void {
    if (this.#stage === 'running') this.#leave(error);
    else this.#leaveError ??= error;
  }

  lost(stream: string, count: number): void {
    if (this.#stage === 'draining') this.#leaveError ??= lostError(stream, count);
  }

  failed(error: unknown): void {
    if (this.#stage === 'over') return;
    this.#end();
    this.#out.error(error);
  }

  // Ways out.

  /** Takes no more, awaits what is out, tells the broker, closes; then completes, or fails with `cause`. */
  #leave(cause: SourceError | undefined): void {
    if (this.#stage !== 'running') return;
    this.#stage = 'draining';
    this.#leaveError = cause ?? this.#readers.find(({ waiting }) => waiting !== undefined)?.waiting;
    const steps$ = concat(
      this.#awaitSettled(),
      defer(() => {
        this.#stage = 'closing';
        const closing$ = merge(...this.#readers.map((reader) => reader.close()));
        return closing$.pipe(ignoreElements(), takeUntil(timer(this.#options.drainTimeoutMs)));
      }),
    );
    this.#timers.add(
      steps$.subscribe({
        complete: () => {
          this.#end();
          if (this.#leaveError === undefined) this.#out.complete();
          else this.#out.error(this.#leaveError);
        },
      }),
    );
  }

  #awaitSettled(): Observable<never> {
    return new Observable((subscriber) => {
      this.#whenSettled = () => subscriber.complete();
      const { drainTimeoutMs } = this.#options;
      subscriber.add(
        timer(drainTimeoutMs).subscribe(() => {
          this.#leaveError ??= lateError(this.#readers, drainTimeoutMs);
          subscriber.complete();
        }),
      );
      for (const reader of this.#readers) reader.stop();
      this.settled();
    });
  }

  #end(): void {
    if (this.#stage === 'over') return;
    this.#stage = 'over';
    for (const reader of this.#readers) reader.end();
    this.#timers.unsubscribe();
  }
}

function lateError(readers: readonly AmqpReader[], withinMs: number): SourceError {
  const late = readers.filter(({ isSettled }) => !isSettled);
  const count = late.reduce((sum, { unsettled }) => sum + unsettled, 0);
  return new SourceError(
    'RXF_SOURCE_DRAIN_TIMEOUT',
    `${count} messages of ${late.map(({ stream }) => stream).join(', ')} were not settled within ${withinMs} ms. They come ` +
      'again. See why the sink is slow, or raise `drainTimeoutMs`.',
  );
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
