import { monotonicMs } from '../core/clock.js';

/** For how long a window was closed, in all. */
export class ClosedTime {
  #since: number | undefined;
  #ms = 0;

  /** To be called when it may have closed, or opened; the clock is read only then. */
  set(isClosed: boolean): void {
    if (isClosed === (this.#since !== undefined)) return;
    const now = monotonicMs();
    if (this.#since !== undefined) this.#ms += now - this.#since;
    this.#since = isClosed ? now : undefined;
  }

  /** What is not taken yet, in seconds. */
  take(): number {
    const now = monotonicMs();
    if (this.#since !== undefined) {
      this.#ms += now - this.#since;
      this.#since = now;
    }
    const ms = this.#ms;
    this.#ms = 0;
    return ms / 1_000;
  }
}
