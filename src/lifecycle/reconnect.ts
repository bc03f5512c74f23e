import { defer, type Observable, Subscription, timer } from 'rxjs';
import { type BackoffOptions, backoffMs } from '../backpressure/backoff.js';
import { monotonicMs } from '../core/clock.js';

/** What comes after a connection that has ended. */
export interface NextAttempt {
  /** How many have ended in a row, without progress between them. */
  readonly failures: number;
  /** The wait before the next attempt. */
  readonly delayMs: number;
}

export interface ReconnectParts<C> {
  readonly backoff: Required<BackoffOptions>;
  /**
   * Connects: emits the connection once it is established, and fails when it has ended. What it brings counts only while
   * `isCurrent()`.
   */
  readonly connect: (isCurrent: () => boolean) => Observable<C>;
  readonly opened: (connection: C) => void;
  /** A connection, or an attempt, has ended. Returns whether to try again; `next` is null once `leave` was called. */
  readonly ended: (error: unknown, next: NextAttempt | null) => boolean;
}

/**
 * Keeps one connection: when it ends another is made, after a wait that doubles with each failure in a row.
 *
 * ```
 * attempts  -a---b-----c-----d--     firstDelayMs 2; a and b fail, c is established, makes progress, and is lost
 * ended     ---x---x-------x----
 * ```
 *
 * Bounds: one connection or one timer. A connection that was established for `maxDelayMs` counts as progress.
 */
export class Reconnect<C> {
  readonly #parts: ReconnectParts<C>;
  #life = new Subscription();
  /** The wait before the next connection. */
  #wait = Subscription.EMPTY;
  #current: C | undefined;
  #openedAt = Number.POSITIVE_INFINITY;
  #failures = 0;
  #isLeaving = false;

  constructor(parts: ReconnectParts<C>) {
    this.#parts = parts;
  }

  /** The connection, while it is established. */
  get current(): C | undefined {
    return this.#current;
  }

  start(): void {
    const life = new Subscription();
    this.#life = life;
    life.add(
      defer(() => this.#parts.connect(() => !life.closed)).subscribe({
        next: (connection) => {
          this.#current = connection;
          this.#openedAt = monotonicMs();
          this.#parts.opened(connection);
        },
        error: (error: unknown) => this.#ended(life, error),
      }),
    );
  }

  /** Something went well on the connection: earlier failures no longer count. */
  progressed(): void {
    this.#failures = 0;
  }

  /** Gives the connection up, as if it had ended with this error. Does nothing during a wait. */
  broken(error: unknown): void {
    this.#ended(this.#life, error);
  }

  /** Gives the connection up, and makes another after so long. */
  again(delayMs: number): void {
    this.#giveUp();
    if (!this.#isLeaving) this.#wait = timer(delayMs).subscribe(() => this.start());
  }

  /** Makes no more connections; keeps the established one, which it returns. */
  leave(): C | undefined {
    this.#isLeaving = true;
    if (this.#current === undefined) this.#giveUp();
    return this.#current;
  }

  end(): void {
    this.#isLeaving = true;
    this.#giveUp();
  }

  #giveUp(): void {
    this.#life.unsubscribe();
    this.#wait.unsubscribe();
    this.#current = undefined;
    this.#openedAt = Number.POSITIVE_INFINITY;
  }

  #ended(life: Subscription, error: unknown): void {
    if (life.closed || life !== this.#life) return;
    const { backoff, ended } = this.#parts;
    if (monotonicMs() - this.#openedAt >= backoff.maxDelayMs) this.#failures = 0;
    this.#giveUp();
    this.#failures += 1;
    const next = { failures: this.#failures, delayMs: backoffMs(this.#failures, backoff) };
    if (ended(error, this.#isLeaving ? null : next)) this.again(next.delayMs);
  }
}
