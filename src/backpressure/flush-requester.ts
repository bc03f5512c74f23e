import { type Subscription, timer } from 'rxjs';
import type { FlushSignal } from '../delivery/acker.js';

/** How often the request is repeated. */
const ASK_EVERY_MS = 100;

/**
 * While a session waits for deliveries to be settled or released, repeats its flush request, so that a part that received a
 * value after the first request sees it too. Requests to settle or catch up start at once; requests to release only when
 * nothing was released for a while, since a busy sink releases by itself.
 */
export class FlushRequester {
  readonly #wanted: () => FlushSignal | null;
  readonly #ask: (signal: FlushSignal) => void;
  #asking: Subscription | undefined;
  #hasReleased = false;
  #last: FlushSignal | null = null;

  /** `wanted` returns what the session waits for, null for nothing; `ask` sends the request. */
  constructor(wanted: () => FlushSignal | null, ask: (signal: FlushSignal) => void) {
    this.#wanted = wanted;
    this.#ask = ask;
  }

  released(): void {
    this.#hasReleased = true;
  }

  /** Re-evaluates what the session waits for. */
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
