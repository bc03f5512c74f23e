import { type Subscription, timer } from 'rxjs';
import type { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { monotonicMs } from '../../core/clock.js';
import type { PendingRequest } from './pending-request.js';
import type { RequestAcker } from './request-acker.js';

/** How often it looks whether its holders must be asked, in milliseconds. */
const LOOK_EVERY_MS = 100;

/** Of clients that wait for no answer: with more unsettled requests than this, the holders are asked to settle. */
const MAX_UNANSWERED = 100_000;

export interface RequestWatchHost<T> {
  readonly isRunning: boolean;
  /** A client has waited for its answer for too long. */
  late(pending: PendingRequest<T>): void;
}

export interface WatchLimits {
  readonly settleAfterMs: number;
  /** Undefined: clients may wait. */
  readonly answerTimeoutMs: number | undefined;
  /** Whether clients wait for answers at all. */
  readonly isAnswering: boolean;
}

/**
 * Looks from time to time, as long as a request is unanswered: asks the holders to settle what a client has waited for, or to
 * release what keeps the window full, and gives up what is late.
 */
export class RequestWatch<T> {
  readonly #acker: RequestAcker<T>;
  readonly #window: InFlightWindow;
  readonly #limits: WatchLimits;
  readonly #host: RequestWatchHost<T>;
  #looking: Subscription | undefined;
  #hasReleased = false;

  constructor(acker: RequestAcker<T>, window: InFlightWindow, limits: WatchLimits, host: RequestWatchHost<T>) {
    this.#acker = acker;
    this.#window = window;
    this.#limits = limits;
    this.#host = host;
  }

  /** To be called when a request may have gone out. */
  start(): void {
    if (this.#looking !== undefined || this.#acker.open.length === 0) return;
    const everyMs = Math.min(LOOK_EVERY_MS, this.#limits.settleAfterMs);
    this.#hasReleased = false;
    this.#looking = timer(everyMs, everyMs).subscribe(() => this.#look());
  }

  stop(): void {
    this.#looking?.unsubscribe();
    this.#looking = undefined;
  }

  /** Something was released. */
  released(): void {
    this.#hasReleased = true;
  }

  /** Asks the holders to settle all that is out. */
  ask(now = monotonicMs()): void {
    for (const pending of this.#acker.open) pending.askAt = now + this.#limits.settleAfterMs;
    this.#acker.flush$.next('settle');
  }

  #look(): void {
    const now = monotonicMs();
    const { answerTimeoutMs } = this.#limits;
    if (answerTimeoutMs !== undefined) {
      for (const pending of this.#acker.open.filter(({ sentAt }) => sentAt + answerTimeoutMs <= now)) {
        this.#host.late(pending);
      }
    }
    if (this.#acker.open.length === 0) this.stop();
    else if (this.#mustAsk(now)) this.ask(now);
    else if (this.#window.isFull && !this.#hasReleased) this.#acker.flush$.next('release');
    this.#hasReleased = false;
  }

  #mustAsk(now: number): boolean {
    const { open } = this.#acker;
    if (!this.#host.isRunning || open.length >= MAX_UNANSWERED) return true;
    return this.#limits.isAnswering && open.some(({ askAt }) => askAt <= now);
  }
}
