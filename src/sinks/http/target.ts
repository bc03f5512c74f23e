import { type Subscription, timer } from 'rxjs';
import { CircuitBreaker } from '../../backpressure/circuit-breaker.js';
import { monotonicMs } from '../../core/clock.js';
import { Queue } from '../../core/queue.js';
import type { CheckedOptions } from './options.js';
import type { SendQueue, Ticket } from './send-queue.js';

/**
 * One origin that is sent to: who waits to send to it, and when nothing is to be sent, because it asked for that or has
 * failed again and again.
 */
export class Target {
  readonly origin: string;
  /** The lanes whose parcel goes there: waiting, under way, or until the next try. */
  readonly users = new Set<SendQueue>();
  readonly #breaker: CircuitBreaker;
  readonly #wake: () => void;
  /** What was tried before goes first, so that a target that is down has few at its door, and these give up in time. */
  readonly #again = new Queue<Ticket>();
  readonly #due = new Queue<Ticket>();
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #waking: Subscription | undefined;

  constructor(origin: string, { breaker }: CheckedOptions<never>, wake: () => void) {
    this.origin = origin;
    this.#breaker = new CircuitBreaker(breaker);
    this.#wake = wake;
  }

  get isOpen(): boolean {
    return this.#breaker.isOpen;
  }

  /** Whether nothing is known of it that would be missed. */
  get isForgettable(): boolean {
    const now = monotonicMs();
    return this.users.size === 0 && this.#breaker.openMs(now) === 0 && now >= this.#pausedUntil;
  }

  add(ticket: Ticket, tried: 'again' | 'first'): void {
    (tried === 'again' ? this.#again : this.#due).add(ticket);
  }

  /** Who may send now, if anyone; wakes its owner when that changes by time. */
  take(): SendQueue | undefined {
    if (this.#again.size + this.#due.size === 0) return undefined;
    const now = monotonicMs();
    const pauseMs = Math.max(this.#pausedUntil - now, this.#breaker.openMs(now));
    if (pauseMs > 0) {
      this.#waking ??= timer(pauseMs).subscribe(() => {
        this.#waking = undefined;
        this.#wake();
      });
      return undefined;
    }
    if (!this.#breaker.mayTry(now)) return undefined;
    for (;;) {
      const ticket = this.#again.take() ?? this.#due.take();
      if (ticket === undefined || ticket.sendQueue.isValid(ticket)) return ticket?.sendQueue;
    }
  }

  /** Takes all that waits. */
  takeAll(): Ticket[] {
    return [...this.#again.takeAll(), ...this.#due.takeAll()];
  }

  began(): void {
    this.#breaker.began();
  }

  /** It answered, whatever it said. */
  answered(): void {
    this.#breaker.succeeded();
  }

  /** It did not answer, or asks to come later. */
  failed(pauseMs: number): void {
    const now = monotonicMs();
    this.#breaker.failed(now);
    if (pauseMs > 0) this.#pausedUntil = Math.max(this.#pausedUntil, now + pauseMs);
  }

  /** Nothing was heard of it. */
  left(): void {
    this.#breaker.left();
  }

  close(): void {
    this.#waking?.unsubscribe();
  }
}
