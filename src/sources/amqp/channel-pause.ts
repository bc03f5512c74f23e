import {
  catchError,
  defer,
  EMPTY,
  from,
  ignoreElements,
  type Observable,
  Subject,
  Subscription,
  take,
  timer,
} from 'rxjs';
import type { FlowSources } from '../../core/flow-sources.js';
import type { AmqpConsumer } from '../../ports/amqp-consumer.js';

/** How often holders are asked again to settle, so that a resumed flow can read again. */
const ASK_EVERY_MS = 100;

/** What a pause does with the reader it belongs to. */
export interface PausedReader {
  /** Whether nothing is out that can still be settled, or is to go back. */
  isAtRest(): boolean;
  askToSettle(): void;
  /** Sends all acks that are owed. */
  flush(): void;
  /** Its channel is closed: makes the next one, as soon as `whilePaused` lets it. */
  left(): void;
}

/**
 * A pause of one reader. It cancels the consumer, so that the broker gives the messages to others, and the prefetch holds none back
 * from them. What is out is settled on its channel; then that is closed. A resumed reader consumes on a new channel: one that
 * is resumed before all is settled asks for it, since leaving the channel earlier would have all that is out redelivered.
 *
 * ```
 * paused    ----x------------------x--
 * consumer  cccc|                     n     c: consumes, n: the next one
 * acks      --a-----a----a|
 * ```
 */
export class ChannelPause {
  readonly #sources: FlowSources;
  readonly #reader: PausedReader;
  readonly #resumed$ = new Subject<void>();
  #consumer: AmqpConsumer | undefined;
  /** From the cancelling to the closing of a channel. */
  #leaving: Subscription | undefined;
  #isCancelled = false;
  #asking = Subscription.EMPTY;

  constructor(sources: FlowSources, reader: PausedReader) {
    this.#sources = sources;
    this.#reader = reader;
  }

  get isPaused(): boolean {
    return this.#sources.isPaused;
  }

  /** Whether the channel is being closed for the pause: its end is no failure. */
  get isLeaving(): boolean {
    return this.#leaving !== undefined;
  }

  /** Completes when the flow is not paused. */
  get whilePaused(): Observable<never> {
    return defer(() => (this.isPaused ? this.#resumed$.pipe(take(1), ignoreElements()) : EMPTY));
  }

  /** The channel is open. */
  opened(consumer: AmqpConsumer): void {
    this.#consumer = consumer;
    if (this.isPaused) this.#leave(consumer);
  }

  /** The channel has ended. */
  lost(): void {
    this.#consumer = undefined;
    this.end();
  }

  /** The flow was paused, or resumed. */
  changed(): void {
    if (!this.isPaused) {
      this.#resumed$.next();
      if (!this.isLeaving) return;
      this.#asking = timer(0, ASK_EVERY_MS).subscribe(() => this.#reader.askToSettle());
      return;
    }
    this.#asking.unsubscribe();
    if (this.#consumer !== undefined && !this.isLeaving) this.#leave(this.#consumer);
  }

  /** Something was settled. */
  look(): void {
    if (this.#leaving === undefined || !this.#isCancelled || !this.#reader.isAtRest()) return;
    this.#isCancelled = false;
    this.#asking.unsubscribe();
    const consumer = this.#consumer;
    this.#leaving.add(
      defer(() => {
        this.#reader.flush();
        return from(consumer?.close() ?? []);
      })
        .pipe(catchError(() => EMPTY))
        .subscribe({ complete: () => this.#reader.left() }),
    );
  }

  /** Leaves the channel to who ends it. */
  end(): void {
    this.#leaving?.unsubscribe();
    this.#leaving = undefined;
    this.#isCancelled = false;
    this.#asking.unsubscribe();
  }

  #leave(consumer: AmqpConsumer): void {
    const leaving = new Subscription();
    this.#leaving = leaving;
    leaving.add(
      // A channel that ends meanwhile says so by itself.
      defer(() => from(consumer.cancel()))
        .pipe(
          take(1),
          catchError(() => EMPTY),
        )
        .subscribe({
          complete: () => {
            this.#isCancelled = true;
            this.look();
          },
        }),
    );
  }
}
