import { type Subscription, timer } from 'rxjs';
import type { FlushSignal } from '../../delivery/acker.js';

/** How often a full channel is looked at. */
const LOOK_EVERY_MS = 20;
/** How often its holders are asked again to settle. */
const ASK_AGAIN_EVERY = 5;

/** The state of a channel. */
export interface ChannelState {
  /** Whether the broker sends nothing until something is settled. */
  readonly isFull: boolean;
  /** Whether everything that is out has left memory: it only waits to be made durable. */
  readonly isReleased: boolean;
  /** Changes with everything that is settled or released. */
  readonly progress: number;
}

/**
 * Asks the holders to settle when the prefetch is full of what they hold: nothing more comes until they do, so what they
 * wait for would never come. At once where all is released and so only durability is missing; else when nothing has moved
 * for a while, first to hand over, then to settle.
 */
export class Pressure {
  readonly #state: () => ChannelState;
  readonly #ask: (signal: FlushSignal) => void;
  #looking: Subscription | undefined;
  #progress = 0;
  /** Looks in a row without progress. */
  #still = 0;
  #hasAsked = false;

  /** `state` is looked at again and again. */
  constructor(state: () => ChannelState, ask: (signal: FlushSignal) => void) {
    this.#state = state;
    this.#ask = ask;
  }

  /** To be called when something has come, or was settled or released. */
  look(): void {
    const { isFull, isReleased, progress } = this.#state();
    if (!isFull) {
      this.#hasAsked = false;
      return;
    }
    if (!this.#hasAsked && isReleased) this.#askToSettle();
    if (this.#looking !== undefined) return;
    this.#progress = progress;
    this.#still = 0;
    this.#looking = timer(LOOK_EVERY_MS, LOOK_EVERY_MS).subscribe(() => this.#lookAgain());
  }

  end(): void {
    this.#looking?.unsubscribe();
    this.#looking = undefined;
  }

  #lookAgain(): void {
    const { isFull, isReleased, progress } = this.#state();
    if (!isFull) {
      this.end();
      return;
    }
    this.#still = progress === this.#progress ? this.#still + 1 : 0;
    this.#progress = progress;
    if (this.#still === 0) return;
    if (this.#still === 1 && !isReleased) this.#ask('release');
    else if (!this.#hasAsked || this.#still % ASK_AGAIN_EVERY === 0) this.#askToSettle();
  }

  #askToSettle(): void {
    this.#hasAsked = true;
    this.#ask('settle');
  }
}
