import { type ObservableInput, type Observer, Subscription } from 'rxjs';
import { guarded } from './time-limit.js';

/** The other side is asked at most so often, and only where somebody reads the metrics. */
const LOOK_EVERY_MS = 5_000;
/** An answer that takes longer says nothing of now. */
const LOOK_WITHIN_MS = 10_000;

/** Asks the other side, while metrics are read, for what it alone knows: not at each reading, and not for longer than is of use. */
export class PacedLook {
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking = Subscription.EMPTY;

  /** Whether it is time to ask again; `now` by a monotonic clock. */
  isDue(now: number): boolean {
    return now - this.#lookedAt >= LOOK_EVERY_MS;
  }

  /** Asks, and no longer waits for the answer before; the next reading has this one. */
  ask<T>(now: number, ask: () => ObservableInput<T>, answered: Partial<Observer<T>>): void {
    this.#lookedAt = now;
    this.#looking.unsubscribe();
    const late = () => new Error(`not answered within ${LOOK_WITHIN_MS} ms`);
    this.#looking = guarded(ask, LOOK_WITHIN_MS, late).subscribe(answered);
  }

  /** Waits for no answer, and asks anew at the next reading. */
  reset(): void {
    this.#looking.unsubscribe();
    this.#lookedAt = Number.NEGATIVE_INFINITY;
  }
}
