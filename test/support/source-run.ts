import { NEVER, type ObservableInput, Subject } from 'rxjs';
import { drainOn } from '../../operators/drain-on.js';
import type { FlushSignal } from '../../src/delivery/acker.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Source } from '../../src/delivery/source.js';

/** A source that runs, and what comes of it. */
export class SourceRun<T> {
  readonly seen: Delivery<T>[] = [];
  /** What the holders of the first delivery were asked for. */
  readonly asked: FlushSignal[] = [];
  /** Whether the epoch of the first delivery is over. */
  isEpochOver = false;
  ended: '' | 'complete' | 'error' = '';
  error: (Error & { readonly code?: string }) | undefined;
  onNext: ((delivery: Delivery<T>) => void) | undefined;
  readonly #stop$ = new Subject<unknown>();
  readonly #running;

  /** `stop`: tells it to drain too. */
  constructor(
    source: Source<Delivery<T>>,
    stop: ObservableInput<unknown> = NEVER,
    onNext?: (delivery: Delivery<T>) => void,
  ) {
    this.onNext = onNext;
    this.#running = source.pipe(drainOn(this.#stop$), drainOn(stop)).subscribe({
      next: (delivery) => {
        if (this.seen.push(delivery) === 1) {
          delivery.acker.flush$.subscribe({
            next: (signal) => this.asked.push(signal),
            complete: () => {
              this.isEpochOver = true;
            },
          });
        }
        this.onNext?.(delivery);
      },
      error: (error: Error) => {
        this.ended = 'error';
        this.error = error;
      },
      complete: () => {
        this.ended = 'complete';
      },
    });
  }

  /** How it ended: `complete`, or `error` and the code or the error. */
  get end(): string {
    return this.error === undefined ? this.ended : `error ${this.error.code ?? String(this.error)}`;
  }

  readonly drain = (): void => this.#stop$.next(undefined);

  readonly leave = (): void => this.#running.unsubscribe();
}
