import { merge, type Observable, Subscription } from 'rxjs';
import type { FlushSignal } from './acker.js';
import type { Delivery } from './delivery.js';

type Flush$ = Observable<FlushSignal>;

/** Of what was joined of several streams or epochs: what each of them wants. */
const joined = new WeakMap<Flush$, readonly Flush$[]>();

/** What any of them wants; over when all of them are. A subscriber listens to each of them once. */
export function mergedFlush$(each: readonly Flush$[]): Flush$ {
  const all = [...new Set(each.flatMap(eachOf))];
  const [only] = all;
  if (all.length === 1 && only !== undefined) return only;
  const flush$ = merge(...all);
  joined.set(flush$, all);
  return flush$;
}

function eachOf(flush$: Flush$): readonly Flush$[] {
  return joined.get(flush$) ?? [flush$];
}

/** Whether the epoch that deliveries with this `flush$` belong to is over: what is still held of it is stale. */
export function isEpochOver(flush$: Flush$): boolean {
  let hasCompleted = false;
  flush$
    .subscribe({
      complete: () => {
        hasCompleted = true;
      },
    })
    .unsubscribe();
  return hasCompleted;
}

/** Calls when the epoch that deliveries with this `flush$` belong to is over, at once where it is. */
export function whenEpochOver(flush$: Flush$, over: () => void): Subscription {
  return flush$.subscribe({ complete: over });
}

/** Something that holds deliveries. */
export interface Holder {
  /** A source wants something of those who hold its deliveries. */
  asked(signal: FlushSignal): void;
  /**
   * An epoch is over: what is held of it is stale and is redelivered. The holder nacks each delivery for whose
   * `acker.flush$` it answers true, which frees the window, and neither hands it on nor joins it with others.
   */
  over(isOver: (flush$: Flush$) => boolean): void;
}

/**
 * Hears what the sources of held deliveries ask for, and that their epochs are over: listens once for each stream and epoch,
 * until that is over.
 *
 * Bounds: one subscription for each epoch that deliveries were held of and that is not over.
 */
export class FlushListeners {
  readonly #holder: Holder;
  readonly #listening = new Map<Flush$, Subscription>();
  /** Known to be listened to. */
  #last: Flush$ | undefined;

  constructor(holder: Holder) {
    this.#holder = holder;
  }

  /** Listens to the source of the delivery from here on. False where its epoch is over: it is not to be held. */
  listen({ acker: { flush$ } }: Delivery<unknown>): boolean {
    if (flush$ === this.#last) return true;
    const each = eachOf(flush$);
    for (const one of each) this.#listenTo(one);
    if (!each.some((one) => this.#listening.has(one))) return false;
    this.#last = flush$;
    return true;
  }

  end(): void {
    for (const listening of this.#listening.values()) listening.unsubscribe();
    this.#listening.clear();
    this.#last = undefined;
  }

  #listenTo(flush$: Flush$): void {
    if (this.#listening.has(flush$)) return;
    const listening = new Subscription();
    this.#listening.set(flush$, listening);
    listening.add(
      flush$.subscribe({
        next: (signal) => this.#holder.asked(signal),
        complete: () => {
          this.#listening.delete(flush$);
          this.#last = undefined;
          this.#holder.over((one) => one === flush$ || (joined.has(one) && isEpochOver(one)));
        },
      }),
    );
  }
}
