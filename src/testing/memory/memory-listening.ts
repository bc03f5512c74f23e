import { asyncScheduler, Observable, type Subscriber } from 'rxjs';
import { ConnectError } from '../../core/errors.js';
import type { Listening } from '../../ports/listening.js';

/** The one that listens at an address in memory: a second one fails. It is there after `latencyMs`. */
export class MemoryListening<R extends L & { end(): void }, L extends Listening> {
  readonly #name: string;
  readonly #latencyMs: number;
  #running: R | undefined;

  constructor(name: string, latencyMs: number) {
    this.#name = name;
    this.#latencyMs = latencyMs;
  }

  get running(): R | undefined {
    return this.#running;
  }

  /** `begin` makes what listens; that calls `over` when it no longer does. */
  listen(begin: (subscriber: Subscriber<L>, over: () => void) => R): Observable<L> {
    return new Observable((subscriber) => {
      if (this.#running !== undefined) {
        subscriber.error(new ConnectError('RXF_SOURCE_LISTEN', `Cannot listen at ${this.#name}: it is taken.`));
        return undefined;
      }
      const running = begin(subscriber, () => {
        this.#running = undefined;
      });
      this.#running = running;
      const starting = asyncScheduler.schedule(() => subscriber.next(running), this.#latencyMs);
      return () => {
        starting.unsubscribe();
        running.end();
      };
    });
  }
}
