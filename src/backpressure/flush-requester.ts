import { type Subscription, timer } from 'rxjs';
import type { FlushSignal } from '../delivery/acker.js';

/** How often holders are asked again. */
const ASK_EVERY_MS = 100;

/**
 * While a session waits for its holders, asks them again and again to settle or to release, so that one that took a
 * value after the first asking hears of it too. Asking to settle or catch up begins at once; asking to release only when
 * nothing was released for a while, since a sink at work releases by itself.
 */
export class FlushRequester {
  readonly #wanted: () => FlushSignal | null;
  readonly #ask: (signal: FlushSignal) => void;
  #asking: Subscription | undefined;
  #hasReleased = false;
  #last: FlushSignal | null = null;

  /** `flush$` tells what the session waits for now, null when for nothing; `ask` passes it on. */
  constructor(wanted: () => FlushSignal | null, ask: (signal: FlushSignal) => void) {
    this.#wanted = wanted;
    this.#ask = ask;
  }

  released(): void {
    this.#hasReleased = true;
  }

  /** Looks again at what the session waits for, which may have changed. */
  look(): void {
    const wanted = this.#wanted();
    const isNew = wanted !== this.#last;
    this.#last = wanted;
    if (wanted !== null && wanted !== 'release' && isNew) this.#ask(wanted);
    if (wanted === null || this.#asking !== undefined) return;
    this.#hasReleased = false;
    this.#asking = timer(ASK_EVERY_MS, ASK_EVERY_MS).subscribe(() => this.#askAgain());
  }

  end(): void {
    this.#asking?.unsubscribe();
    this.#asking = undefined;
  }

  #askAgain(): void {
    const wanted = this.#wanted();
    this.#last = wanted;
    if (wanted === null) this.end();
    else if (wanted !== 'release' || !this.#hasReleased) this.#ask(wanted);
    this.#hasReleased = false;
  }
}
