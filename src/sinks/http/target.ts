import { type Subscription, timer } from 'rxjs';
import { CircuitBreaker } from '../../backpressure/circuit-breaker.js';
import { monotonicMs } from '../../core/clock.js';
import { Queue } from '../../core/queue.js';
import type { CheckedOptions } from './options.js';

/**
 * One origin that is sent to: what waits to be sent there, and when nothing is to be sent, because the server asked for that
 * or has failed again and again.
 */
export class Target<S extends { readonly isSettled: boolean }> {
  readonly origin: string;
  /** How many go there: waiting, in flight, or until the next attempt. */
  users = 0;
  readonly breaker: CircuitBreaker;
  readonly #wake: () => void;
  /** What was tried before goes first, so that a target that is down has few at its door, and these give up in time. */
  readonly #again = new Queue<S>();
  readonly #first = new Queue<S>();
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #waking: Subscription | undefined;

  /** `wake` is called when time has passed, and something may be sent. */
  constructor(origin: string, { breaker }: Pick<CheckedOptions<never>, 'breaker'>, wake: () => void) {
    this.origin = origin;
    this.breaker = new CircuitBreaker(breaker);
    this.#wake = wake;
  }

  /** Whether nothing is known of it that would be missed. */
  get isForgettable(): boolean {
    const now = monotonicMs();
    return this.users === 0 && this.breaker.openMs(now) === 0 && now >= this.#pausedUntil;
  }

  add(sending: S, tried: 'again' | 'first'): void {
    (tried === 'again' ? this.#again : this.#first).add(sending);
  }

  /** What may be sent now, if anything. */
  take(): S | undefined {
    if (this.#again.size + this.#first.size === 0) return undefined;
    const now = monotonicMs();
    const pauseMs = Math.max(this.#pausedUntil - now, this.breaker.openMs(now));
    if (pauseMs > 0) {
      this.#waking ??= timer(pauseMs).subscribe(() => {
        this.#waking = undefined;
        this.#wake();
      });
      return undefined;
    }
    if (!this.breaker.mayTry(now)) return undefined;
    for (;;) {
      const sending = this.#again.take() ?? this.#first.take();
      if (sending?.isSettled !== true) return sending;
    }
  }

  /** Takes all that waits. */
  takeAll(): S[] {
    return [...this.#again.takeAll(), ...this.#first.takeAll()];
  }

  /** It did not answer, or asks to come later. */
  failed(pauseMs: number): void {
    const now = monotonicMs();
    this.breaker.failed(now);
    if (pauseMs > 0) this.#pausedUntil = Math.max(this.#pausedUntil, now + pauseMs);
  }

  close(): void {
    this.#waking?.unsubscribe();
  }
}
