import { AsyncSubject, asyncScheduler, type Observable } from 'rxjs';
import { KiB } from '../../core/units.js';

/** Work in steps: each yields how many bytes it looked at, and takes little time. */
export type Work<T> = Generator<number, T, void>;

/** So many bytes are looked at before other work has its turn: some 1 ms. */
export const SLICE_BYTES = 256 * KiB;

/**
 * Does work in the order it was given, a slice at a time: between slices the event loop runs. What is little is done at once, while the
 * turn's slice has room.
 *
 * Bounds: what was given and is not done. It is done also where its result is no longer wanted.
 */
export class Slices {
  readonly #waiting: (() => boolean)[] = [];
  #bytes = 0;
  #hasNextTurn = false;

  /** The result of the work; at once where that is there. */
  run<T>(work: Work<T>): Observable<T> {
    const result$ = new AsyncSubject<T>();
    this.#waiting.push(() => {
      try {
        const step = work.next();
        if (step.done !== true) {
          this.#bytes += step.value;
          return false;
        }
        result$.next(step.value);
        result$.complete();
      } catch (error) {
        result$.error(error);
      }
      return true;
    });
    if (this.#waiting.length === 1) this.#slice();
    return result$;
  }

  #slice(): void {
    while (this.#bytes < SLICE_BYTES) {
      const step = this.#waiting[0];
      if (step === undefined) break;
      if (step()) this.#waiting.shift();
    }
    if (this.#bytes > 0 && !this.#hasNextTurn) this.#awaitTurn();
  }

  /** By RxJS's clock: in virtual time no other turn ever comes. */
  #awaitTurn(): void {
    this.#hasNextTurn = true;
    asyncScheduler.schedule(() => {
      this.#hasNextTurn = false;
      this.#bytes = 0;
      this.#slice();
    });
  }
}
