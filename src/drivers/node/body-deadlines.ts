import { monotonicMs } from '../../core/clock.js';

/**
 * Ends bodies that do not come in time. All have the same time, so those that began first are late first, and one timer serves all of
 * them: a timer for each would cost more than reading a small body.
 */
export class BodyDeadlines {
  readonly timeoutMs: number;
  /** When each began, by what is called when it is late; oldest first. */
  readonly #open = new Map<() => void, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs;
  }

  add(late: () => void): void {
    this.#open.set(late, monotonicMs());
    if (this.#timer === undefined) this.#lookIn(this.timeoutMs);
  }

  delete(late: () => void): void {
    this.#open.delete(late);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#open.clear();
  }

  #lookIn(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), ms);
    // The connections keep the process running.
    this.#timer.unref();
  }

  #look(): void {
    this.#timer = undefined;
    const now = monotonicMs();
    for (const [late, since] of this.#open) {
      const leftMs = since + this.timeoutMs - now;
      if (leftMs > 0) {
        this.#lookIn(leftMs);
        return;
      }
      this.#open.delete(late);
      late();
    }
  }
}
