import { catchError, defer, EMPTY, from, type Observable, Subscription, timer } from 'rxjs';
import type { FlushSignal } from '../../delivery/acker.js';
import type { AmqpConsumer } from '../../ports/amqp-consumer.js';
import type { Consuming } from './consuming.js';

/** How often holders are asked again. */
const ASK_EVERY_MS = 100;

/** Leaves a queue in order: takes no more, asks for what is out, closes the channel once that is settled. */
export class Leaving {
  readonly #consuming: Consuming;
  readonly #ask: (signal: FlushSignal) => void;
  readonly #life = new Subscription();
  #consumer: AmqpConsumer | undefined;

  constructor(consuming: Consuming, ask: (signal: FlushSignal) => void) {
    this.#consuming = consuming;
    this.#ask = ask;
  }

  opened(consumer: AmqpConsumer): void {
    this.#consumer = consumer;
  }

  /** Again and again, so that a holder that took a value after the first asking hears of it too. */
  stop(): void {
    if (!this.#consuming.leave()) return;
    // A channel that ends meanwhile says so by itself.
    const cancelled$ = defer(() => from(this.#consumer?.cancel() ?? [])).pipe(catchError(() => EMPTY));
    this.#life.add(cancelled$.subscribe());
    this.#life.add(timer(0, ASK_EVERY_MS).subscribe(() => this.#ask('settle')));
  }

  /** `flush` sends what is owed. */
  close(flush: () => void): Observable<unknown> {
    return defer(() => {
      flush();
      return from(this.#consumer?.close() ?? []);
    }).pipe(catchError(() => EMPTY));
  }

  end(): void {
    this.#life.unsubscribe();
  }
}
