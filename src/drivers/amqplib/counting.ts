import type { Subscriber } from 'rxjs';
import type { ConnectError } from '../../core/errors.js';
import { ChannelLife, type Timeouts } from './channel-life.js';
import type { Pool } from './pool.js';

/**
 * Asks how many messages a queue has ready, by a passive declare. On a channel of its own: the broker closes the one on which it is
 * asked for a queue that is gone.
 */
export class Counting extends ChannelLife {
  readonly #queue: string;
  readonly #subscriber: Subscriber<number>;

  constructor(pool: Pool, options: Timeouts, queue: string, subscriber: Subscriber<number>) {
    super(pool, 'consume', `queue '${queue}'`, options);
    this.#queue = queue;
    this.#subscriber = subscriber;
  }

  protected connected(): void {
    this.open('plain', (channel) =>
      this.call<{ messageCount: number }>(
        (answered) => channel.checkQueue(this.#queue, answered),
        ({ messageCount }) => {
          this.started();
          this.#subscriber.next(messageCount);
          this.#subscriber.complete();
        },
      ),
    );
  }

  /** It concerns publishers alone. */
  protected blocked(): void {}

  protected ended(error: ConnectError | null): void {
    if (error === null) this.#subscriber.complete();
    else this.#subscriber.error(error);
  }
}
