import { type Observable, Subscription } from 'rxjs';
import type { Delivery } from './delivery.js';
import type { Want } from './duty.js';

/** Whether the epoch that deliveries with this `wanted` belong to is over: what is still held of it is void. */
export function isEpochOver(wanted: Observable<Want>): boolean {
  let hasCompleted = false;
  wanted
    .subscribe({
      complete: () => {
        hasCompleted = true;
      },
    })
    .unsubscribe();
  return hasCompleted;
}

/**
 * Hears what the sources of held deliveries ask for: listens once for each stream and epoch, until that is over.
 *
 * Bounds: one subscription for each epoch that deliveries were held of and that is not over.
 */
export class Wants {
  readonly #asked: (want: Want) => void;
  readonly #over: (wanted: Observable<Want>) => void;
  readonly #listening = new Map<Observable<Want>, Subscription>();

  /** `asked` is told each want; `over` that an epoch is over. */
  constructor(asked: (want: Want) => void, over: (wanted: Observable<Want>) => void = () => undefined) {
    this.#asked = asked;
    this.#over = over;
  }

  /** Listens to the source of the delivery from here on. */
  listen({ duty: { wanted } }: Delivery<unknown>): void {
    if (this.#listening.has(wanted)) return;
    const listening = new Subscription();
    this.#listening.set(wanted, listening);
    listening.add(
      wanted.subscribe({
        next: (want) => this.#asked(want),
        complete: () => {
          this.#listening.delete(wanted);
          this.#over(wanted);
        },
      }),
    );
  }

  end(): void {
    for (const listening of this.#listening.values()) listening.unsubscribe();
    this.#listening.clear();
  }
}
