import { merge, type Observable, Subscription } from 'rxjs';
import type { Delivery } from './delivery.js';
import type { Want } from './duty.js';

type Wanted = Observable<Want>;

/** Of what was joined of several streams or epochs: what each of them wants. */
const joined = new WeakMap<Wanted, readonly Wanted[]>();

/** What any of them wants; over when all of them are. Whoever holds it listens to each of them once. */
export function joinedWanted(each: readonly Wanted[]): Wanted {
  const all = [...new Set(each.flatMap(eachOf))];
  const [only] = all;
  if (all.length === 1 && only !== undefined) return only;
  const wanted = merge(...all);
  joined.set(wanted, all);
  return wanted;
}

function eachOf(wanted: Wanted): readonly Wanted[] {
  return joined.get(wanted) ?? [wanted];
}

/** Whether the epoch that deliveries with this `wanted` belong to is over: what is still held of it is stale. */
export function isEpochOver(wanted: Wanted): boolean {
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

/** Calls when the epoch that deliveries with this `wanted` belong to is over, at once where it is. */
export function whenEpochOver(wanted: Wanted, over: () => void): Subscription {
  return wanted.subscribe({ complete: over });
}

/** Whoever holds deliveries. */
export interface Holder {
  /** A source wants something of those who hold its deliveries. */
  asked(want: Want): void;
  /**
   * An epoch is over: what is held of it is stale and is redelivered. The holder refuses each delivery for whose
   * `duty.wanted` it answers true, which frees the window, and neither hands it on nor joins it with others.
   */
  over(isOver: (wanted: Wanted) => boolean): void;
}

/**
 * Hears what the sources of held deliveries ask for, and that their epochs are over: listens once for each stream and epoch,
 * until that is over.
 *
 * Bounds: one subscription for each epoch that deliveries were held of and that is not over.
 */
export class Wants {
  readonly #holder: Holder;
  readonly #listening = new Map<Wanted, Subscription>();
  /** Known to be listened to. */
  #last: Wanted | undefined;

  constructor(holder: Holder) {
    this.#holder = holder;
  }

  /** Listens to the source of the delivery from here on. False where its epoch is over: it is not to be held. */
  listen({ duty: { wanted } }: Delivery<unknown>): boolean {
    if (wanted === this.#last) return true;
    const each = eachOf(wanted);
    for (const one of each) this.#listenTo(one);
    if (!each.some((one) => this.#listening.has(one))) return false;
    this.#last = wanted;
    return true;
  }

  end(): void {
    for (const listening of this.#listening.values()) listening.unsubscribe();
    this.#listening.clear();
    this.#last = undefined;
  }

  #listenTo(wanted: Wanted): void {
    if (this.#listening.has(wanted)) return;
    const listening = new Subscription();
    this.#listening.set(wanted, listening);
    listening.add(
      wanted.subscribe({
        next: (want) => this.#holder.asked(want),
        complete: () => {
          this.#listening.delete(wanted);
          this.#last = undefined;
          this.#holder.over((one) => one === wanted || (joined.has(one) && isEpochOver(one)));
        },
      }),
    );
  }
}
