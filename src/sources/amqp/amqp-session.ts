import { merge, type Observable, type Subscriber, Subscription, takeUntil, timer } from 'rxjs';
import type { SourceError } from '../../core/errors.js';
import { flowSources } from '../../core/flow-scope.js';
import type { FlowSource, RecordPosition, StreamPositions } from '../../core/flow-sources.js';
import type { Delivery } from '../../delivery/delivery.js';
import { drainTimeoutError, Settling } from '../../lifecycle/settling.js';
import { type SourceEnding, SourceLifecycle } from '../../lifecycle/source-lifecycle.js';
import type { AmqpReader } from './amqp-reader.js';
import type { CheckedReadOptions } from './options.js';
import type { SessionParts } from './reader-parts.js';

/** One subscription of a source of RabbitMQ: its readers, from the first connecting to the last closing. */
export class AmqpSession implements SourceEnding, FlowSource {
  readonly #options: CheckedReadOptions;
  readonly #readers: readonly AmqpReader[];
  readonly #lifecycle: SourceLifecycle;
  readonly #leaveFlow: () => void;
  readonly #settling = new Settling(() => this.#readers.every(({ isSettled }) => isSettled));

  /** `read` makes the reader of a queue. */
  constructor(
    options: CheckedReadOptions,
    out: Subscriber<Delivery<Buffer>>,
    read: (queue: string, session: SessionParts) => AmqpReader,
  ) {
    this.#options = options;
    this.#lifecycle = new SourceLifecycle(out, this);
    const sources = flowSources();
    const session = { out, lifecycle: this.#lifecycle, settling: this.#settling, sources, hasConnected: false };
    this.#readers = options.queues.map((queue) => read(queue, session));
    this.#leaveFlow = sources.add(this);
  }

  start(stop$: Observable<unknown>): Subscription {
    return this.#lifecycle.start(stop$, () => {
      for (const reader of this.#readers) if (this.#lifecycle.isRunning) reader.start();
      return Subscription.EMPTY;
    });
  }

  // What the flow calls.

  pauseChanged(): void {
    if (this.#lifecycle.isRunning) for (const reader of this.#readers) reader.pauseChanged();
  }

  settle(): void {
    for (const reader of this.#readers) reader.settle();
  }

  positions(): Iterable<StreamPositions> {
    return this.#readers.map((reader) => reader.positions());
  }

  locate(stream: string, offset: number): RecordPosition | undefined {
    return this.#readers.find((reader) => reader.stream === stream)?.locate(offset);
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
    this.#leaveFlow();
    for (const reader of this.#readers) reader.end();
  }
}

function lateError(readers: readonly AmqpReader[], withinMs: number): SourceError {
  const late = readers.filter(({ isSettled }) => !isSettled);
  const count = late.reduce((sum, { unsettled }) => sum + unsettled, 0);
  const what = `${count} messages of ${late.map(({ stream }) => stream).join(', ')}`;
  return drainTimeoutError(what, withinMs, 'They are redelivered.');
}
